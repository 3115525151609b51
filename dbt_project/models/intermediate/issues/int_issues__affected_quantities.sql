{{ config(materialized='table') }}

with units as (
    select * from {{ ref('int_issues__units') }}
),

quantities as (
    select * from {{ ref('int_inventories__worked_quantities') }}
),

pieces as (
    select * from {{ ref('int_inventories__pieces') }}
),

origins as (
    select * from {{ ref('int_inventories__split_origins') }}
),

-- The quantity at the opening of the issue counts, not the quantity left now.
held as (
    select
        units.issue_id,
        units.part_inventory_id,
        units.opened_at,
        pieces.serial_number,
        case when pieces.part_inventory_id is not null then coalesce(quantities.quantity, pieces.quantity) end
            as quantity
    from units
    left join pieces on units.part_inventory_id = pieces.part_inventory_id
    left join quantities
        on units.part_inventory_id = quantities.part_inventory_id and units.opened_at = quantities.worked_at
),

-- One issue may name a lot and pieces split off it since; those pieces have a row of their own.
splits as (
    select
        held.issue_id,
        origins.origin_part_inventory_id,
        held.quantity,
        row_number() over (partition by held.issue_id, held.part_inventory_id order by origins.depth) as nearness
    from held
    inner join origins on held.part_inventory_id = origins.part_inventory_id and origins.depth > 0
    inner join units
        on held.issue_id = units.issue_id and origins.origin_part_inventory_id = units.part_inventory_id
    where origins.split_at > held.opened_at
),

elsewhere as (
    select
        issue_id,
        origin_part_inventory_id as part_inventory_id,
        sum(quantity) as quantity
    from splits
    where nearness = 1
    group by issue_id, origin_part_inventory_id
)

select
    held.issue_id,
    held.part_inventory_id,
    case
        when held.serial_number is not null or elsewhere.quantity is null then held.quantity
        else greatest(held.quantity - elsewhere.quantity, 0)
    end as quantity
from held
left join elsewhere
    on held.issue_id = elsewhere.issue_id and held.part_inventory_id = elsewhere.part_inventory_id
