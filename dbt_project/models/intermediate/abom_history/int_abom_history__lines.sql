{{ config(materialized='table') }}

with generation_1 as (
    select * from {{ ref('int_abom_history__generation_1_lines') }}
),

generation_2 as (
    select * from {{ ref('int_abom_history__generation_2_lines') }}
),

generation_2_periods as (
    {{ spans_of(ref('stg_ion_history__build_requirement_part_inventories')) }}
),

units as (
    select * from {{ ref('int_abom_history__units') }}
),

-- While a unit has any requirement of generation 2, only generation 2 is used.
generation_1_periods as (
    {{ uncovered('generation_2_periods', ['parent_part_inventory_id']) }}
    union all
    select
        parents.parent_part_inventory_id,
        {{ start_of_time() }} as valid_from,
        {{ end_of_time() }} as valid_until
    from (select distinct parent_part_inventory_id from generation_1) as parents
    left join generation_2_periods on parents.parent_part_inventory_id = generation_2_periods.parent_part_inventory_id
    where generation_2_periods.parent_part_inventory_id is null
),

{%- set columns = [
    'abom_generation', 'parent_part_inventory_id', 'build_requirement_id', 'part_id', 'origin_mbom_item_id',
    'quantity_required', 'child_part_inventory_id', 'abom_installation_id', 'reference_designator',
    'quantity_installed', 'is_made_on_assembly', 'created_at', 'updated_at', 'created_by_id'
] %}

both_generations as (
    select
        {{ columns | join(', ') }},
        valid_from,
        valid_until
    from generation_2
    union all
    select
        generation_1.{{ columns | join(',\n        generation_1.') }},
        {{ common_span('generation_1', 'generation_1_periods') }}
    from generation_1
    inner join generation_1_periods
        on
            generation_1.parent_part_inventory_id = generation_1_periods.parent_part_inventory_id
            and {{ overlap('generation_1', 'generation_1_periods') }}
),

-- Both units of a line must exist. The parent determines the quantity per piece, the child the part.
in_parents as (
    select
        both_generations.{{ columns | join(',\n        both_generations.') }},
        parents.pieces as parent_pieces,
        {{ common_span('both_generations', 'parents') }}
    from both_generations
    inner join units as parents
        on
            both_generations.parent_part_inventory_id = parents.part_inventory_id
            and {{ overlap('both_generations', 'parents') }}
),

with_children as (
    select
        {% for column in columns if column != 'part_id' %}
            in_parents.{{ column }},
        {% endfor %}
        -- The required part of a filled line is a column of its own: its change is not a change of the installed part.
        case when in_parents.child_part_inventory_id is null then in_parents.part_id else children.part_id end
            as part_id,
        in_parents.part_id as required_part_id,
        in_parents.parent_pieces,
        children.serial_number,
        children.lot_number,
        children.tracking_type,
        {{ common_span('in_parents', 'children') }}
    from in_parents
    left join units as children
        on
            in_parents.child_part_inventory_id = children.part_inventory_id
            and {{ overlap('in_parents', 'children') }}
    where in_parents.child_part_inventory_id is null or children.part_inventory_id is not null
),

keyed as (
    select
        *,
        cast(abom_generation as string)
        || ':' || cast(parent_part_inventory_id as string)
        || case when child_part_inventory_id is null then ':r' else ':i' end
        || cast(coalesce(abom_installation_id, build_requirement_id) as string) as line_key
    from with_children
),

merged as (
    {{ merged_spans(
        'keyed', 'line_key',
        [
            'abom_generation', 'parent_part_inventory_id', 'build_requirement_id', 'part_id', 'quantity_required',
            'child_part_inventory_id', 'abom_installation_id', 'reference_designator', 'quantity_installed',
            'required_part_id', 'origin_mbom_item_id', 'is_made_on_assembly', 'parent_pieces', 'serial_number',
            'lot_number', 'tracking_type'
        ],
        earliest=['updated_at'],
        latest=['created_at', 'created_by_id']
    ) }}
)

select
    *,
    {{ designator_key('reference_designator') }} as designator_key,
    quantity_installed / nullif(parent_pieces, 0) as quantity_per_piece
from merged
order by parent_part_inventory_id, valid_from, line_key
