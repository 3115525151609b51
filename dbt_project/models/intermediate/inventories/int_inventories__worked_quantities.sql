{{ config(materialized='table') }}

with pieces as (
    select * from {{ ref('int_inventories__pieces') }}
),

origins as (
    select * from {{ ref('int_inventories__split_origins') }}
),

history as (
    select * from {{ ref('stg_ion_history__part_inventories') }}
),

work as (
    select * from {{ ref('int_inventories__work') }}
),

worked as (
    select * from {{ ref('int_inventories__worked_instants') }}
),

held as (
    select
        part_inventory_id,
        case
            when serial_number is not null then 1.0
            else coalesce(quantity, 0.0) + coalesce(quantity_scrapped, 0.0)
        end as quantity,
        valid_from,
        case
            when lag(valid_from) over of_unit is null then null
            when coalesce(updated_at > lag(updated_at) over of_unit, true) then updated_at
            else valid_from
        end as changed_at,
        row_number() over of_unit as version_number
    from history
    window of_unit as (partition by part_inventory_id order by valid_from)
),

-- The last state reached by that instant; for instants before the first load, the state at the first load.
in_force as (
    select
        worked.part_inventory_id,
        worked.worked_at,
        held.quantity,
        held.valid_from as seen_at,
        row_number() over (
            partition by worked.part_inventory_id, worked.worked_at order by held.version_number desc
        ) as lateness
    from worked
    inner join held on worked.part_inventory_id = held.part_inventory_id
    where held.version_number = 1 or held.changed_at <= worked.worked_at
),

-- Inventories that were split off, with the quantity when first read and the quantity now.
split_off as (
    select
        origins.origin_part_inventory_id as part_inventory_id,
        origins.depth,
        origins.split_at,
        of_itself.split_at as began_at,
        coalesce(held.quantity, pieces.quantity) as first_quantity,
        pieces.quantity
    from origins
    inner join pieces on origins.part_inventory_id = pieces.part_inventory_id
    inner join origins as of_itself
        on origins.part_inventory_id = of_itself.part_inventory_id and of_itself.depth = 1
    left join held on origins.part_inventory_id = held.part_inventory_id and held.version_number = 1
    where origins.depth > 0
),

seen as (
    select
        in_force.part_inventory_id,
        in_force.worked_at,
        {{ any_of('in_force.quantity') }}
        -- Pieces split off after the work but before the load that read the state were worked on as well.
        + coalesce(sum(split_off.first_quantity) filter (
            where split_off.split_at > in_force.worked_at and split_off.began_at <= in_force.seen_at
        ), 0)
        - coalesce(sum(split_off.first_quantity) filter (
            where split_off.depth = 1
            and split_off.split_at > in_force.seen_at and split_off.split_at <= in_force.worked_at
        ), 0) as quantity
    from in_force
    left join split_off on in_force.part_inventory_id = split_off.part_inventory_id
    where in_force.lateness = 1
    group by in_force.part_inventory_id, in_force.worked_at
),

-- Where history is not usable: the quantity now plus the pieces split off since.
now_and_since as (
    select
        worked.part_inventory_id,
        worked.worked_at,
        {{ any_of('pieces.serial_number') }} as serial_number,
        {{ any_of('pieces.quantity') }} as quantity,
        coalesce(sum(split_off.quantity) filter (where split_off.split_at > worked.worked_at), 0) as split_off_since
    from worked
    left join pieces on worked.part_inventory_id = pieces.part_inventory_id
    left join split_off on worked.part_inventory_id = split_off.part_inventory_id
    group by worked.part_inventory_id, worked.worked_at
)

select
    now_and_since.part_inventory_id,
    now_and_since.worked_at,
    case
        when now_and_since.serial_number is not null then 1.0
        -- ION may set the quantity of a lot only at its completion.
        when seen.quantity > 0 then seen.quantity
        when now_and_since.quantity is not null then now_and_since.quantity + now_and_since.split_off_since
        else coalesce(cast(work.run_quantity as double), 1.0)
    end as quantity,
    now_and_since.split_off_since
from now_and_since
left join seen
    on now_and_since.part_inventory_id = seen.part_inventory_id and now_and_since.worked_at = seen.worked_at
left join work on now_and_since.part_inventory_id = work.part_inventory_id
