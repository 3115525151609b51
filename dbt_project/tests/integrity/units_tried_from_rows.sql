-- Pieces started, attempted and completed, by part: for each inventory, the test follows its origins one by one to the
-- first that a run had worked on.
with recursive steps as (
    select
        runs.part_inventory_id,
        runs.id as run_id,
        runs.status as run_status,
        run_steps.status,
        coalesce(run_steps.start_time, run_steps.end_time) as started_at,
        run_steps.end_time as ended_at
    from {{ source('ion', 'runs') }} as runs
    inner join {{ source('ion', 'run_steps') }} as run_steps on runs.id = run_steps.run_id
    where runs.part_inventory_id is not null and run_steps.status is distinct from 'CANCELED'
),

started as (
    select
        part_inventory_id,
        min(started_at) as at
    from steps
    group by part_inventory_id
    having min(started_at) is not null
),

inventories as (
    select
        inventories.id,
        inventories.origin_part_inventory_id as origin_id,
        inventories._created as created_at,
        parts.part_number,
        case
            when inventories.serial_number is not null then 1
            else coalesce(inventories.quantity, 0) + coalesce(inventories.quantity_scrapped, 0)
        end as quantity
    from {{ source('ion', 'part_inventories') }} as inventories
    left join {{ source('ion', 'parts') }} as parts on inventories.part_id = parts.id
),

-- The quantity of a unit at its first attempt, without pieces that now have a row of their own.
tried as (
    select
        steps.part_inventory_id,
        coalesce(
            min(steps.ended_at) filter (where steps.status in ('COMPLETE', 'FAILED')), min(steps.started_at)
        ) as asked_at
    from steps
    group by steps.part_inventory_id
),

asked as (
    select * from tried
    where asked_at is not null
),

quantities as (
    select * from {{ pieces_then('asked') }}
),

own as (
    select
        quantities.part_inventory_id,
        greatest(quantities.quantity - quantities.split_off_since, 0) as quantity
    from quantities
),

-- Stops at the first origin that had been worked on before the pieces left it.
walk as (
    select
        inventories.id,
        inventories.id as at_id,
        inventories.origin_id,
        inventories.created_at as leaves_at,
        cast(null as {{ type_instant() }}) as left_at,
        started.part_inventory_id is not null as is_found,
        {{ list_with('inventories.id') }} as seen_ids
    from inventories
    left join started on inventories.id = started.part_inventory_id
    union all
    select
        walk.id,
        inventories.id as at_id,
        inventories.origin_id,
        inventories.created_at as leaves_at,
        walk.leaves_at as left_at,
        coalesce(started.at <= walk.leaves_at, false) as is_found,
        {{ list_append('walk.seen_ids', 'inventories.id') }} as seen_ids
    from walk
    inner join inventories on walk.origin_id = inventories.id
    left join started on inventories.id = started.part_inventory_id
    -- Inventories may be split from each other, so each is visited once.
    where not walk.is_found and not {{ list_has('walk.seen_ids', 'inventories.id') }}
),

expected as (
    select
        inventories.part_number,
        sum(case when walk.at_id = walk.id then own.quantity else inventories.quantity end) as quantity_started,
        sum(case when walk.at_id = walk.id then own.quantity else inventories.quantity end) filter (
            where (
                select min(steps.ended_at)
                from steps
                where steps.part_inventory_id = walk.at_id and steps.status in ('COMPLETE', 'FAILED')
            ) <= coalesce(walk.left_at, {{ end_of_time() }})
        ) as quantity_attempted,
        1 + sum(abs(coalesce(own.quantity, 0)) + abs(coalesce(inventories.quantity, 0))) as volume
    from walk
    inner join inventories on walk.id = inventories.id
    left join own on walk.id = own.part_inventory_id
    -- A part that ION withholds from the API key has no part number to sum by.
    where walk.is_found and inventories.part_number is not null
    group by inventories.part_number
),

gone as (
    select count(*) as unit_count
    from started
    left join inventories on started.part_inventory_id = inventories.id
    where inventories.id is null
),

found as (
    select
        part_number,
        sum(quantity_started) as quantity_started,
        sum(quantity_attempted) as quantity_attempted
    from {{ ref('defect_rates') }}
    group by part_number
),

compared as (
    select
        coalesce(expected.part_number, found.part_number) as part_number,
        coalesce(expected.quantity_started, 0) as expected_started,
        coalesce(found.quantity_started, 0) as found_started,
        coalesce(expected.quantity_attempted, 0) as expected_attempted,
        coalesce(found.quantity_attempted, 0) as found_attempted,
        -- Floating-point sums in another order are equal if they agree to nine digits of the summed volume.
        1e-9 * coalesce(expected.volume, 1) as tolerance
    from expected
    full outer join found on expected.part_number = found.part_number
)

select compared.*
from compared
cross join gone
where
    -- A negative split quantity is not an attempted piece.
    compared.part_number not in (
        select negative.part_number from inventories as negative
        where negative.quantity < 0 and negative.part_number is not null
    )
    -- Of an inventory that is no longer in ION only its runs are known: the mart may then have more.
    and (
        (gone.unit_count = 0 and compared.found_started > compared.expected_started + compared.tolerance)
        or compared.found_started < compared.expected_started - compared.tolerance
        or compared.found_attempted < compared.expected_attempted - compared.tolerance
        or (gone.unit_count = 0 and compared.found_attempted > compared.expected_attempted + compared.tolerance)
    )
