-- Compares the marts of yields and redlines: factors multiplied through logarithms, days summed to months, and every
-- unit, run and redline counted once.
with kinds_of_period as (
    select distinct period_type
    from {{ ref('first_pass_yield') }}
),

started as (
    select distinct run_id
    from {{ source('ion', 'run_steps') }}
    where start_time is not null
),

factors as (
    select
        yields.part_id,
        kinds.procedure_id,
        yields.period_type,
        yields.period_start_on,
        yields.quantity_passed_first / yields.quantity_attempted as first_pass_yield
    from {{ ref('int_quality__step_yields') }} as yields
    inner join {{ ref('int_procedures__step_kinds') }} as kinds on yields.step_id = kinds.step_id
    where
        yields.quantity_attempted > 0
        and yields.part_id is not null
        and kinds.procedure_id is not null
        and kinds.step_kind = 'mandatory'
        and not kinds.is_group
),

expected as (
    select
        'rolled ' || period_type as measure,
        cast(part_id as string)
        || '/' || cast(procedure_id as string)
        || '/' || cast(period_start_on as string) as item,
        case when min(first_pass_yield) > 0 then exp(sum(ln(nullif(first_pass_yield, 0)))) else 0 end as amount
    from factors
    group by part_id, procedure_id, period_type, period_start_on
    union all
    select
        'attempted in all' as measure,
        kinds_of_period.period_type || '/' || cast(firsts.step_id as string) as item,
        sum(firsts.quantity) as amount
    from {{ ref('int_quality__unit_attempts') }} as firsts
    cross join kinds_of_period
    where firsts.unit_attempt_number = 1 and firsts.step_id is not null and firsts.part_inventory_id is not null
    group by kinds_of_period.period_type, firsts.step_id
    union all
    select
        'runs started or cancelled' as measure,
        cast(procedure_id as string) as item,
        count(*) as amount
    from {{ source('ion', 'runs') }}
    where
        procedure_id is not null
        and (
            (status = 'CANCELED' and _updated is not null)
            or {{ instant_of_text('start_time') }} is not null
            or id in (select started.run_id from started)
        )
    group by procedure_id
),

found as (
    select
        'rolled ' || period_type as measure,
        cast(part_id as string)
        || '/' || cast(procedure_id as string)
        || '/' || cast(period_start_on as string) as item,
        rolled_throughput_yield as amount
    from {{ ref('rolled_throughput_yield') }}
    union all
    select
        'attempted in all' as measure,
        period_type || '/' || cast(step_id as string) as item,
        sum(quantity_attempted) as amount
    from {{ ref('first_pass_yield') }}
    where units_attempted > 0
    group by period_type, step_id
    union all
    select
        'runs started or cancelled' as measure,
        cast(procedure_id as string) as item,
        sum(runs_started + runs_cancelled) as amount
    from {{ ref('redline_rates') }}
    where period_type = 'week'
    group by procedure_id
)

select
    coalesce(expected.measure, found.measure) as measure,
    coalesce(expected.item, found.item) as item,
    expected.amount as expected_amount,
    found.amount as found_amount
from expected
full outer join found on expected.measure = found.measure and expected.item = found.item
where
    (expected.amount is null) is distinct from (found.amount is null)
    -- Logarithms and floating-point sums are equal if they agree to nine digits.
    or abs(expected.amount - found.amount) > 1e-9 * abs(expected.amount)
union all
-- Fails if steps were completed but nothing was compared.
select
    'nothing compared' as measure,
    null as item,
    count(*) as expected_amount,
    0 as found_amount
from {{ ref('run_steps') }}
where attempt_count > 0 and (select count(*) from expected) = 0
having count(*) > 0
