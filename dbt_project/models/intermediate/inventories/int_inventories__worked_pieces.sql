{{ config(materialized='table') }}

with pieces as (
    select * from {{ ref('int_inventories__pieces') }}
),

work as (
    select * from {{ ref('int_inventories__work') }}
),

origins as (
    select * from {{ ref('int_inventories__split_origins') }}
),

parts as (
    select * from {{ ref('stg_ion__parts') }}
),

-- The quantity that a unit held at its first attempt, without pieces split off since, which have rows of their own.
own_quantities as (
    select
        work.part_inventory_id,
        greatest(quantities.quantity - quantities.split_off_since, 0.0) as quantity
    from work
    inner join {{ ref('int_inventories__worked_quantities') }} as quantities
        on
            work.part_inventory_id = quantities.part_inventory_id
            and coalesce(work.first_attempted_at, work.first_started_at) = quantities.worked_at
),

worked_origins as (
    select
        origins.part_inventory_id,
        origins.origin_part_inventory_id,
        origins.split_at,
        work.first_started_at,
        work.first_attempted_at,
        work.first_completed_at,
        row_number() over (partition by origins.part_inventory_id order by origins.depth) as nearness
    from origins
    inner join work on origins.origin_part_inventory_id = work.part_inventory_id
    where origins.split_at is null or work.first_started_at <= origins.split_at
),

-- Merged inventories no longer exist in ION, but the quantity of their runs is still known.
gone as (
    select
        work.part_inventory_id,
        work.part_id,
        parts.part_number,
        coalesce(own_quantities.quantity, cast(work.run_quantity as double), 1.0) as quantity,
        work.part_inventory_id as worked_part_inventory_id,
        work.first_started_at,
        work.first_attempted_at,
        work.first_completed_at
    from work
    left join pieces on work.part_inventory_id = pieces.part_inventory_id
    left join own_quantities on work.part_inventory_id = own_quantities.part_inventory_id
    left join parts on work.part_id = parts.part_id
    where pieces.part_inventory_id is null
)

select
    pieces.part_inventory_id,
    pieces.part_id,
    pieces.part_number,
    case
        when pieces.part_inventory_id = nearest.origin_part_inventory_id
            then coalesce(own_quantities.quantity, pieces.quantity)
        else pieces.quantity
    end as quantity,
    nearest.origin_part_inventory_id as worked_part_inventory_id,
    nearest.first_started_at,
    -- Pieces that were split off before were not part of it.
    case when coalesce(nearest.first_attempted_at <= nearest.split_at, true) then nearest.first_attempted_at end
        as first_attempted_at,
    case when coalesce(nearest.first_completed_at <= nearest.split_at, true) then nearest.first_completed_at end
        as first_completed_at
from worked_origins as nearest
inner join pieces on nearest.part_inventory_id = pieces.part_inventory_id
left join own_quantities on pieces.part_inventory_id = own_quantities.part_inventory_id
where nearest.nearness = 1
union all
select * from gone
