-- Computes p and u charts a second time from ION's rows: ended and failed run steps and issues per step and day, and
-- limits in squared form.
with ended as (
    select
        run_steps.id,
        run_steps.origin_step_id as step_id,
        {{ day_in_zone(
            'coalesce(run_steps.end_time, run_steps._updated)', organization_setting('production_time_zone')
        ) }} as production_on,
        run_steps.status = 'FAILED' or run_steps.id in (
            select fields.run_step_id
            from {{ source('ion', 'run_step_fields') }} as fields
            inner join {{ source('ion', 'run_step_field_validations') }} as validations
                on fields.id = validations.run_step_field_id
            where
                validations.result = 'FAIL'
                and fields.not_applicable is distinct from true
        ) as is_failed,
        greatest(coalesce(runs.quantity, 1), 1) as unit_count
    from {{ source('ion', 'run_steps') }} as run_steps
    left join {{ source('ion', 'runs') }} as runs on run_steps.run_id = runs.id
    where
        run_steps.status in ('COMPLETE', 'FAILED')
        and run_steps.origin_step_id is not null
        -- A row without any time belongs to no period.
        and coalesce(run_steps.end_time, run_steps._updated) is not null
),

units as (
    select
        step_id,
        production_on,
        sum(unit_count) as unit_count
    from ended
    group by step_id, production_on
),

counted as (
    select
        'p/' || step_id as chart_key,
        production_on,
        count(case when is_failed then 1 end) as numerator,
        count(*) as denominator
    from ended
    group by step_id, production_on
    union all
    select
        'u/' || ended.step_id as chart_key,
        ended.production_on,
        count(issues.id) as numerator,
        max(units.unit_count) as denominator
    from ended
    inner join units on ended.step_id = units.step_id and ended.production_on = units.production_on
    left join {{ source('ion', 'issues') }} as issues on ended.id = issues.run_step_id
    group by ended.step_id, ended.production_on
),

found as (
    select
        *,
        3 * sigma as spread,
        case when chart_type = 'p' then run_steps_failed else issues_found end as numerator,
        case when chart_type = 'p' then run_steps_ended else units_ended end as denominator
    from {{ ref('control_chart_points') }}
    where chart_type in ('p', 'u')
),

centres as (
    select
        found.chart_key,
        sum(counted.numerator) / sum(counted.denominator) as centre
    from found
    inner join counted on found.chart_key = counted.chart_key and found.production_on = counted.production_on
    where found.is_baseline
    group by found.chart_key
),

-- The square of three sigma: nine variances.
expected as (
    select
        counted.*,
        centres.centre,
        9 * centres.centre * (case when counted.chart_key like 'p/%' then 1 - centres.centre else 1 end)
        / counted.denominator as squared_distance
    from counted
    left join centres on counted.chart_key = centres.chart_key
)

select
    coalesce(expected.chart_key, found.chart_key) as chart_key,
    coalesce(expected.production_on, found.production_on) as production_on
from expected
full outer join found on expected.chart_key = found.chart_key and expected.production_on = found.production_on
where
    expected.numerator is distinct from found.numerator
    or expected.denominator is distinct from found.denominator
    -- The counts of the other type of chart would be counted twice.
    or (found.run_steps_ended is null) is distinct from (found.chart_type = 'u')
    or (found.units_ended is null) is distinct from (found.chart_type = 'p')
    -- Floating-point values are equal if they agree to nine digits of their inputs.
    or abs(found.chart_value * expected.denominator - expected.numerator) > 1e-9 * expected.numerator
    or (expected.centre is null) is distinct from (found.centre is null)
    or abs(expected.centre - found.centre) > 1e-9 * expected.centre
    or (expected.squared_distance is null) is distinct from (found.upper_control_limit is null)
    or abs(found.spread * found.spread - expected.squared_distance) > 1e-9 * expected.squared_distance
    or found.lower_control_limit < 0
    or (found.chart_type = 'p' and found.upper_control_limit > 1)
    or (
        (found.chart_type = 'u' or expected.centre + sqrt(expected.squared_distance) < 1)
        and abs(found.centre + found.spread - found.upper_control_limit) > 1e-9 * found.upper_control_limit
    )
    or abs(greatest(found.centre - found.spread, 0) - found.lower_control_limit) > 1e-9 * found.upper_control_limit
    or found.is_small_sample is distinct from (found.denominator * found.centre < 5)
    -- Points at a distance from the limits are unambiguously within or beyond them; without variation, every point off
    -- the centre is beyond.
    or (
        found.chart_value > found.upper_control_limit + 1e-6 * found.upper_control_limit
        and found.zone is distinct from 'beyond'
    )
    or (
        found.chart_value < found.lower_control_limit - 1e-6 * found.upper_control_limit
        and found.zone is distinct from 'beyond'
    )
    or (expected.squared_distance = 0 and expected.centre = 0 and expected.numerator = 0 and found.zone = 'beyond')
