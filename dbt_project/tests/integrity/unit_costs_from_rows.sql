-- Every unit has its costs, and costs what its own row and those of its direct components say, by their quantities.
with lines as (
    select
        parent_part_inventory_id,
        part_inventory_id,
        sum(quantity_per_piece) as quantity,
        count(*) = count(quantity_per_piece) as is_known
    from {{ ref('int_abom__tree_lines') }}
    where not is_open_requirement
    group by parent_part_inventory_id, part_inventory_id
),

-- Only trees of known quantities add up level by level.
whole as (
    select
        parent_part_inventory_id,
        bool_and(is_known) as is_known
    from lines
    group by parent_part_inventory_id
),

below as (
    select
        lines.parent_part_inventory_id,
        components.currency,
        sum(lines.quantity * components.total_cost) as cost
    from lines
    inner join {{ ref('unit_costs') }} as components on lines.part_inventory_id = components.part_inventory_id
    where components.currency is not null
    group by lines.parent_part_inventory_id, components.currency
),

unknown as (
    select distinct uses.ancestor_part_inventory_id as part_inventory_id
    from {{ ref('int_abom__where_used') }} as uses
    where uses.quantity_extended is null
),

counted as (
    select
        count(distinct part_inventory_id) as unit_count,
        count(*) filter (where currency is null and total_cost is not null) as without_currency,
        count(*) filter (where is_complete and total_cost is null) as complete_without_cost
    from {{ ref('unit_costs') }}
)

select
    'units' as what,
    cast(null as bigint) as finding
from counted
where
    counted.unit_count <> (select count(*) from {{ source('ion', 'part_inventories') }})
    or counted.without_currency > 0
    or counted.complete_without_cost > 0
union all
select
    'level' as what,
    found.part_inventory_id as finding
from {{ ref('unit_costs') }} as found
left join whole on found.part_inventory_id = whole.parent_part_inventory_id
left join below
    on found.part_inventory_id = below.parent_part_inventory_id and found.currency = below.currency
where
    found.currency is not null
    and coalesce(whole.is_known, true)
    and found.part_inventory_id not in (select unknown.part_inventory_id from unknown)
    and abs(
        found.total_cost
        - (coalesce(found.purchase_cost, 0) + coalesce(found.labor_cost, 0) + coalesce(below.cost, 0))
    ) > 1e-6 * abs(found.total_cost)
