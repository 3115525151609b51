-- A unit together with inventories split off it since has as many pieces in defect_rates and scrap as its first attempt
-- has in first_pass_yield, unless another run has worked on the split pieces or they now hold more than the whole did.
with tried as (
    select
        part_inventory_id,
        worked_at,
        quantity,
        split_off_since
    from {{ ref('int_inventories__worked_quantities') }}
),

firsts as (
    select
        attempts.part_inventory_id,
        attempts.quantity,
        attempts.ended_at,
        row_number() over (partition by attempts.part_inventory_id order by attempts.ended_at) as place
    from {{ ref('int_quality__unit_attempts') }} as attempts
    inner join {{ ref('stg_ion__runs') }} as runs
        on attempts.run_id = runs.run_id and attempts.part_inventory_id = runs.part_inventory_id
    where attempts.part_inventory_id is not null
),

-- Pieces split off since count with the inventory they were split from, unless a run has worked on them as well.
families as (
    select
        worked_part_inventory_id as part_inventory_id,
        sum(quantity) as quantity,
        min(quantity) as least_quantity,
        min(first_attempted_at) as first_attempted_at
    from {{ ref('int_inventories__worked_pieces') }}
    group by worked_part_inventory_id
),

reworked as (
    select distinct origins.origin_part_inventory_id as part_inventory_id
    from {{ ref('int_inventories__split_origins') }} as origins
    inner join {{ ref('int_inventories__work') }} as work on origins.part_inventory_id = work.part_inventory_id
    where origins.depth > 0
),

-- Inventories split off between start and first attempt were started but not attempted with the lot; the split time may
-- also be unknown.
early as (
    select distinct origins.origin_part_inventory_id as part_inventory_id
    from {{ ref('int_inventories__split_origins') }} as origins
    inner join {{ ref('int_inventories__work') }} as work
        on origins.origin_part_inventory_id = work.part_inventory_id
    where origins.depth > 0 and coalesce(origins.split_at <= work.first_attempted_at, true)
),

compared as (
    select
        firsts.part_inventory_id,
        firsts.quantity as quantity_in_yields,
        families.quantity as quantity_in_rates,
        abs(tried.quantity) + abs(firsts.quantity) + 1 as volume
    from firsts
    inner join families on firsts.part_inventory_id = families.part_inventory_id
    inner join tried
        on firsts.part_inventory_id = tried.part_inventory_id and families.first_attempted_at = tried.worked_at
    where
        firsts.place = 1
        -- A negative split quantity is not an attempted piece.
        and families.least_quantity >= 0
        and tried.split_off_since <= tried.quantity
        and firsts.ended_at = families.first_attempted_at
        and firsts.part_inventory_id not in (select reworked.part_inventory_id from reworked)
        and firsts.part_inventory_id not in (select early.part_inventory_id from early)
        -- A serial that was split counts as one piece, regardless of the number of splits.
        and firsts.part_inventory_id not in (
            select origins.origin_part_inventory_id
            from {{ ref('int_inventories__split_origins') }} as origins
            inner join {{ ref('int_inventories__pieces') }} as pieces
                on origins.origin_part_inventory_id = pieces.part_inventory_id
            where origins.depth > 0 and pieces.serial_number is not null
        )
)

select
    part_inventory_id,
    quantity_in_yields,
    quantity_in_rates
from compared
-- Floating-point sums in another order are equal if they agree to nine digits of the summed volume.
where abs(quantity_in_yields - quantity_in_rates) > 1e-9 * volume
