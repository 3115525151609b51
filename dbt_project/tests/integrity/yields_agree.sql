-- Compares the marts of yields and redlines, of each length of period: factors multiplied through logarithms, units in
-- the period of their first attempt, and every unit, run, run step and redline counted once.
{% set tables = {'day': '', 'week': '_by_week', 'month': '_by_month'} %}

with started as (
    select distinct run_id
    from {{ source('ion', 'run_steps') }}
    where start_time is not null
),

factors as (
    {% for period in tables %}
        select
            '{{ period }}' as period,
            yields.part_id,
            kinds.procedure_id,
            {{ period_of(period, 'yields.day_on') }} as starts_on,
            sum(yields.quantity_passed_first) / sum(yields.quantity_attempted) as first_pass_yield
        from {{ ref('int_quality__step_yields') }} as yields
        inner join {{ ref('int_procedures__step_kinds') }} as kinds on yields.step_id = kinds.step_id
        where
            yields.part_id is not null
            and kinds.procedure_id is not null
            and kinds.step_kind = 'mandatory'
            and not kinds.is_group
        group by yields.part_id, kinds.procedure_id, {{ period_of(period, 'yields.day_on') }}, yields.step_id
        having sum(yields.quantity_attempted) > 0
        {{ 'union all' if not loop.last }}
    {% endfor %}
),

runs_counted as (
    select
        procedure_id,
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

run_steps_counted as (
    select
        origin_step_id as step_id,
        count(*) as amount
    from {{ source('ion', 'run_steps') }}
    where
        origin_step_id is not null
        and id in (
            select steps.run_step_id
            from {{ ref('run_steps') }} as steps
            where not steps.is_group
        )
        and (
            start_time is not null
            or status in ('COMPLETE', 'FAILED')
            or (status = 'CANCELED' and _updated is not null)
            -- A step that was completed and then set back has an attempt.
            or id in (
                select versions.id
                from {{ source('ion_history', 'run_steps') }} as versions
                where versions.status in ('COMPLETE', 'FAILED')
            )
        )
    group by origin_step_id
),

expected as (
    select
        'rolled ' || period as measure,
        cast(part_id as string) || '/' || cast(procedure_id as string) || '/' || cast(starts_on as string) as item,
        case when min(first_pass_yield) > 0 then exp(sum(ln(nullif(first_pass_yield, 0)))) else 0 end as amount
    from factors
    group by part_id, procedure_id, period, starts_on
    {% for period in tables %}
        union all
        select
            'attempted in a {{ period }}' as measure,
            cast(step_id as string)
            || '/' || coalesce(cast(part_id as string), '')
            || '/' || cast({{ period_of(period, 'ended_on') }} as string) as item,
            sum(quantity) as amount
        from {{ ref('int_quality__unit_attempts') }}
        where unit_attempt_number = 1 and step_id is not null and part_inventory_id is not null
        group by step_id, part_id, {{ period_of(period, 'ended_on') }}
        union all
        select
            'runs started or cancelled, by {{ period }}' as measure,
            cast(procedure_id as string) as item,
            amount
        from runs_counted
    {% endfor %}
    union all
    select
        'run steps started or cancelled' as measure,
        cast(step_id as string) as item,
        amount
    from run_steps_counted
),

found as (
    {% for period, suffix in tables.items() %}
        select
            'rolled {{ period }}' as measure,
            cast(part_id as string)
            || '/' || cast(procedure_id as string)
            || '/' || cast({{ period_column(period) }} as string) as item,
            rolled_throughput_yield as amount
        from {{ ref('rolled_throughput_yield' ~ suffix) }}
        union all
        select
            'attempted in a {{ period }}' as measure,
            cast(step_id as string)
            || '/' || coalesce(cast(part_id as string), '')
            || '/' || cast({{ period_column(period) }} as string) as item,
            quantity_attempted as amount
        from {{ ref('first_pass_yield' ~ suffix) }}
        where units_attempted > 0
        union all
        select
            'runs started or cancelled, by {{ period }}' as measure,
            cast(procedure_id as string) as item,
            sum(runs_started + runs_cancelled) as amount
        from {{ ref('redline_rates' ~ suffix) }}
        group by procedure_id
        union all
    {% endfor %}
    select
        'run steps started or cancelled' as measure,
        cast(step_id as string) as item,
        sum(run_steps_started + run_steps_cancelled) as amount
    from {{ ref('step_redline_rates') }}
    group by step_id
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
