-- Units that share a requirement are filled together: within one unit being built it counts once.
with needs as (
    select distinct
        contents.built_part_inventory_id,
        requirements.abom_generation,
        requirements.build_requirement_id,
        requirements.part_id,
        requirements.is_filled
    from {{ ref('int_production__build_contents') }} as contents
    inner join {{ ref('int_production__requirements') }} as requirements
        on contents.part_inventory_id = requirements.part_inventory_id
),

counts as (
    select
        built_part_inventory_id,
        count(*) as requirements_total,
        count(*) filter (where is_filled) as requirements_filled,
        count(*) filter (where is_filled is null) as requirements_unknown
    from needs
    group by built_part_inventory_id
),

-- Lines of purchase orders on which something is still to come, by part.
arrivals as (
    select
        part_id,
        min(promised_on) as expected_on
    from {{ ref('purchase_order_lines') }}
    where is_ordered and not is_closed and coalesce(quantity_received < quantity_due, true)
    group by part_id
),

short as (
    select distinct
        built_part_inventory_id,
        part_id
    from needs
    where is_filled is distinct from true
),

labelled as (
    select
        short.built_part_inventory_id,
        short.part_id,
        arrivals.part_id as on_order_part_id,
        arrivals.expected_on,
        parts.part_number || coalesce(' ' || parts.part_revision, '') as part_label,
        parts.is_export_controlled
    from short
    left join {{ ref('stg_ion__parts') }} as parts on short.part_id = parts.part_id
    left join arrivals on short.part_id = arrivals.part_id
),

shortages as (
    select
        built_part_inventory_id,
        {{ ids_of('part_id') }} as short_part_ids,
        {{ ids_of('on_order_part_id') }} as on_order_part_ids,
        {{ texts_of("coalesce(part_label, 'part ' || cast(part_id as string))") }} as short_parts,
        {{ texts_of("case when on_order_part_id is not null then part_label end") }} as on_order_parts,
        min(expected_on) as next_expected_on,
        max(expected_on) as last_expected_on,
        bool_or(is_export_controlled) as is_export_controlled
    from labelled
    group by built_part_inventory_id
)

select
    counts.*,
    shortages.short_part_ids,
    shortages.on_order_part_ids,
    shortages.short_parts,
    shortages.on_order_parts,
    shortages.next_expected_on,
    shortages.last_expected_on,
    coalesce(shortages.is_export_controlled, false) as is_export_controlled
from counts
left join shortages on counts.built_part_inventory_id = shortages.built_part_inventory_id
