{{ config(materialized='table') }}

with moments as (
    select * from {{ ref('int_mbom__moments') }}
),

items as (
    select * from {{ ref('stg_ion_history__mbom_items') }}
    where not coalesce(is_deleted, false)
),

lines as (
    select
        moments.mbom_id,
        moments.seen_at,
        items.mbom_item_id,
        items.part_id,
        items.quantity,
        coalesce(items.is_made_on_assembly, false) as is_made_on_assembly
    from moments
    inner join items
        on
            moments.mbom_id = items.mbom_id
            and moments.seen_at >= items.valid_from
            and (items.valid_to is null or moments.seen_at < items.valid_to)
),

places as (
    select
        lines.mbom_item_id,
        lines.seen_at,
        {{ list_of('distinct designators.reference_designator', 'designators.reference_designator') }}
            as reference_designators,
        {{ places_of('designators.reference_designator') }} as designator_places
    from lines
    inner join {{ ref('stg_ion_history__mbom_item_reference_designators') }} as designators
        on
            lines.mbom_item_id = designators.mbom_item_id
            and lines.seen_at >= designators.valid_from
            and (designators.valid_to is null or lines.seen_at < designators.valid_to)
    where designators.reference_designator is not null
    group by lines.mbom_item_id, lines.seen_at
),

substitutes as (
    select
        lines.mbom_item_id,
        lines.seen_at,
        {{ list_of('distinct substitutes.part_id', 'substitutes.part_id') }} as substitute_part_ids
    from lines
    inner join {{ ref('stg_ion_history__mbom_substitutes') }} as substitutes
        on
            lines.mbom_item_id = substitutes.mbom_item_id
            and lines.seen_at >= substitutes.valid_from
            and (substitutes.valid_to is null or lines.seen_at < substitutes.valid_to)
    group by lines.mbom_item_id, lines.seen_at
),

contents as (
    select
        lines.*,
        coalesce(places.reference_designators, {{ empty_list() }}) as reference_designators,
        coalesce(places.designator_places, {{ empty_list() }}) as designator_places,
        coalesce(substitutes.substitute_part_ids, {{ empty_list() }}) as substitute_part_ids
    from lines
    left join places on lines.mbom_item_id = places.mbom_item_id and lines.seen_at = places.seen_at
    left join substitutes on lines.mbom_item_id = substitutes.mbom_item_id and lines.seen_at = substitutes.seen_at
)

select
    *,
    {{ content_hash(struct_of([
        'part_id', 'quantity', 'is_made_on_assembly', 'designator_places', 'substitute_part_ids',
    ])) }} as line_hash
from contents
