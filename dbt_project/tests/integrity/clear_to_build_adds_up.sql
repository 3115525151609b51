-- No part is given away twice, and each need is covered, made or short. Stock is counted from ION's rows.
with stock as (
    select
        part_id,
        sum(quantity_available) as quantity
    from {{ source('ion', 'part_inventories') }}
    where status = 'AVAILABLE' and quantity_available > 0
    group by part_id
),

taken as (
    select
        part_id,
        sum(quantity_on_hand) as quantity
    from {{ ref('clear_to_build') }}
    group by part_id
),

substituted as (
    select
        substitute_part_id as part_id,
        sum(quantity_substituted) as quantity
    from {{ ref('clear_to_build') }}
    where substitute_part_id is not null
    group by substitute_part_id
),

everything as (
    select * from taken
    union all
    select * from substituted
),

given as (
    select
        part_id,
        sum(quantity) as quantity
    from everything
    group by part_id
),

-- Shares are differences of running sums, whose last digits are those of the largest quantity of the part.
largest as (
    select
        part_id,
        1e-14 * sum(quantity_needed) as rounding
    from {{ ref('clear_to_build') }}
    group by part_id
)

select
    'stock' as what,
    given.part_id as finding
from given
left join stock on given.part_id = stock.part_id
left join largest on given.part_id = largest.part_id
where given.quantity > coalesce(stock.quantity, 0) * (1 + 1e-9) + coalesce(largest.rounding, 0)
union all
select
    'need' as what,
    needs.part_id as finding
from {{ ref('clear_to_build') }} as needs
left join largest on needs.part_id = largest.part_id
where
    abs(
        needs.quantity_needed - needs.quantity_on_hand - needs.quantity_incoming - needs.quantity_to_make
        - needs.quantity_substituted - needs.quantity_short
    ) > 1e-9 * needs.quantity_needed + largest.rounding
    or (needs.quantity_needed is not null and needs.quantity_short is null)
union all
-- An open run without a unit needs each line of its part's plan.
select
    'run' as what,
    runs.id as finding
from {{ source('ion', 'runs') }} as runs
inner join {{ ref('int_mbom__plan_lines') }} as lines on runs.part_id = lines.parent_part_id and lines.quantity > 0
left join {{ ref('clear_to_build') }} as found
    on found.consumer_type = 'run' and runs.id = found.consumer_id and lines.part_id = found.part_id
where
    runs.part_inventory_id is null
    and coalesce(runs.status, '') not in ('COMPLETE', 'PARTIAL_COMPLETE', 'CANCELED')
    and runs.quantity > 0
    and found.consumer_id is null
    and runs.id not in (
        select kits.run_id from {{ source('ion', 'part_kits') }} as kits
        where kits.run_id is not null
    )
