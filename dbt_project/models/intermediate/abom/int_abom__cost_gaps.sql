with units as (
    select
        labels.part_inventory_id,
        parts.sourcing_strategy
    from {{ ref('int_abom__units') }} as labels
    left join {{ ref('stg_ion__parts') }} as parts on labels.part_id = parts.part_id
),

own as (
    select
        part_inventory_id,
        count(*) filter (where cost_type = 'purchase') as price_count,
        count(*) filter (where cost_type = 'purchase' and currency is null) as unknown_price_count,
        count(*) filter (where cost_type = 'labor' and currency is not null) as labor_count,
        sum(session_count) filter (where currency is null) as sessions_without_cost
    from {{ ref('int_abom__own_costs') }}
    group by part_inventory_id
),

assemblies as (
    select distinct ancestor_part_inventory_id as part_inventory_id
    from {{ ref('int_abom__where_used') }}
)

-- A unit has a price, or is built from others, or is made by work.
select
    units.part_inventory_id,
    coalesce(own.unknown_price_count, 0) > 0
    or (
        coalesce(own.price_count, 0) = 0
        and assemblies.part_inventory_id is null
        and not coalesce(units.sourcing_strategy = 'MAKE' and own.labor_count > 0, false)
    ) as is_without_cost,
    cast(coalesce(own.sessions_without_cost, 0) as bigint) as sessions_without_cost
from units
left join own on units.part_inventory_id = own.part_inventory_id
left join assemblies on units.part_inventory_id = assemblies.part_inventory_id
