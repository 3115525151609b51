-- Attempts add up to the days of the first-pass yield, each occurs once, and those that were not first pass, and only
-- those, have a reason.
with expected as (
    select
        step_id,
        period_start_on as ended_on,
        units_attempted,
        quantity_attempted,
        quantity_passed_first
    from {{ ref('first_pass_yield') }}
    where period_type = 'day' and units_attempted > 0
    union all
    select
        null as step_id,
        null as ended_on,
        count(*) as units_attempted,
        cast(null as double) as quantity_attempted,
        count(*) filter (where is_first_pass) as quantity_passed_first
    from {{ ref('int_quality__unit_attempts') }}
),

found as (
    select
        step_id,
        ended_on,
        count(*) as units_attempted,
        sum(quantity) as quantity_attempted,
        coalesce(sum(quantity) filter (where is_first_pass), 0) as quantity_passed_first
    from {{ ref('step_attempts') }}
    where is_yield_counted
    group by step_id, ended_on
    union all
    select
        null as step_id,
        null as ended_on,
        count(distinct step_attempt_key) as units_attempted,
        cast(null as double) as quantity_attempted,
        count(*) filter (where not_first_pass_because is null) as quantity_passed_first
    from {{ ref('step_attempts') }}
)

select
    coalesce(expected.step_id, found.step_id) as step_id,
    coalesce(expected.ended_on, found.ended_on) as ended_on,
    expected.units_attempted as expected_units,
    found.units_attempted as found_units,
    expected.quantity_passed_first as expected_passed,
    found.quantity_passed_first as found_passed
from expected
full outer join found
    on
        coalesce(expected.step_id, 0) = coalesce(found.step_id, 0)
        and coalesce(expected.ended_on, date '1970-01-01') = coalesce(found.ended_on, date '1970-01-01')
where
    expected.units_attempted is distinct from found.units_attempted
    -- Floating-point sums in another order are equal if they agree to nine digits.
    or abs(coalesce(expected.quantity_attempted, 0) - coalesce(found.quantity_attempted, 0))
    > 1e-9 * abs(coalesce(expected.quantity_attempted, 0))
    or abs(coalesce(expected.quantity_passed_first, 0) - coalesce(found.quantity_passed_first, 0))
    > 1e-9 * abs(coalesce(expected.quantity_attempted, 0))
