-- Each run computed only from ION's rows, every figure independently of the models, and compared with the sums of the
-- other tables.
with run_steps as (
    select * from {{ source('ion', 'run_steps') }}
),

ends as (
    select
        runs.id as run_id,
        coalesce(min(run_steps.start_time), max({{ instant_of_text('runs.start_time') }})) as started_at,
        coalesce(
            max(case when run_steps.status = 'COMPLETE' then run_steps.end_time end),
            max({{ instant_of_text('runs.end_time') }})
        ) as completed_at
    from {{ source('ion', 'runs') }} as runs
    left join run_steps on runs.id = run_steps.run_id
    where runs.status in ('COMPLETE', 'PARTIAL_COMPLETE', 'CANCELED')
    group by runs.id
),

measured as (
    select
        run_id,
        'steps' as measure,
        cast(count(*) as double) as amount
    from run_steps
    where coalesce(status, '') <> 'CANCELED'
    group by run_id
    union all
    select
        run_id,
        'steps done' as measure,
        count(*) as amount
    from run_steps
    where status = 'COMPLETE'
    group by run_id
    union all
    select
        run_steps.run_id,
        'redlines' as measure,
        count(*) as amount
    from {{ source('ion', 'redlines') }} as redlines
    inner join run_steps on redlines.step_id = run_steps.id
    group by run_steps.run_id
    union all
    select
        run_steps.run_id,
        'issues' as measure,
        count(*) as amount
    from {{ source('ion', 'issues') }} as issues
    inner join run_steps on issues.run_step_id = run_steps.id
    group by run_steps.run_id
    union all
    select
        run_steps.run_id,
        'missed limits' as measure,
        count(*) as amount
    from {{ source('ion', 'run_step_field_validations') }} as checks
    inner join {{ source('ion', 'run_step_fields') }} as fields on checks.run_step_field_id = fields.id
    inner join run_steps on fields.run_step_id = run_steps.id
    where checks.result = 'FAIL' and fields.not_applicable is not true
    group by run_steps.run_id
    union all
    select
        run_steps.run_id,
        'touch hours' as measure,
        sum({{ hours_between('sessions.check_in', 'sessions.check_out') }}) as amount
    from {{ source('ion', 'run_step_sessions') }} as sessions
    inner join run_steps on sessions.run_step_id = run_steps.id
    where sessions.check_out is not null
    group by run_steps.run_id
    union all
    select
        run_id,
        'elapsed hours' as measure,
        {{ hours_between('started_at', 'completed_at') }} as amount
    from ends
),

found as (
    {% for measure, expression in {
        'steps': 'steps_total', 'steps done': 'steps_done', 'redlines': 'redline_count', 'issues': 'issue_count',
        'missed limits': 'failed_validation_count', 'touch hours': 'touch_hours', 'elapsed hours': 'elapsed_hours'
    }.items() %}
        select
            run_id,
            '{{ measure }}' as measure,
            cast({{ expression }} as double) as amount
        from {{ ref('runs') }}
        where {{ expression }} <> 0
        {{ 'union all' if not loop.last }}
    {% endfor %}
),

expected as (
    select measured.*
    from measured
    inner join {{ source('ion', 'runs') }} as runs on measured.run_id = runs.id
    where measured.amount <> 0
),

-- A session may end before it begins: the sum of hours may then be small while its rounding error is not.
volumes as (
    select
        run_steps.run_id,
        'touch hours' as measure,
        sum(abs({{ hours_between('sessions.check_in', 'sessions.check_out') }})) as amount
    from {{ source('ion', 'run_step_sessions') }} as sessions
    inner join run_steps on sessions.run_step_id = run_steps.id
    group by run_steps.run_id
)

select
    coalesce(expected.run_id, found.run_id) as run_id,
    coalesce(expected.measure, found.measure) as measure,
    expected.amount as expected_amount,
    found.amount as found_amount
from expected
full outer join found on expected.run_id = found.run_id and expected.measure = found.measure
left join volumes
    on
        coalesce(expected.run_id, found.run_id) = volumes.run_id
        and coalesce(expected.measure, found.measure) = volumes.measure
where
    -- Floating-point sums in another order are equal if they agree to nine digits of the summed volume.
    abs(coalesce(expected.amount, 0) - coalesce(found.amount, 0))
    > 1e-9 * coalesce(volumes.amount, abs(expected.amount), 0)
union all
-- Fails if ION has runs with steps but none was compared.
select
    null as run_id,
    'nothing compared' as measure,
    count(*) as expected_amount,
    0 as found_amount
from run_steps
where run_id in (select runs.id from {{ source('ion', 'runs') }} as runs) and (select count(*) from expected) = 0
having count(*) > 0
