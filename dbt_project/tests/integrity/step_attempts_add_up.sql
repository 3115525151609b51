-- Attempts add up to the days of the first-pass yield, by step, part and reason; each occurs once, and those that were
-- not first pass, and only those, have a reason.
{% set reasons = {
    'failed': 'quantity_failed_first',
    'failed_validation': 'quantity_failed_validation_first',
    'redline': 'quantity_redlined_first',
    'issue': 'quantity_issue_first',
} %}

with yields as (
    select * from {{ ref('first_pass_yield') }}
    where units_attempted > 0
),

attempts as (
    select * from {{ ref('step_attempts') }}
    where is_yield_counted
),

expected as (
    select
        'units' as measure,
        yield_key as item,
        units_attempted as amount
    from yields
    union all
    select
        'attempted' as measure,
        yield_key as item,
        quantity_attempted as amount
    from yields
    union all
    select
        'passed first' as measure,
        yield_key as item,
        quantity_passed_first as amount
    from yields
    {% for reason, column in reasons.items() %}
        union all
        select
            '{{ reason }}' as measure,
            yield_key as item,
            {{ column }} as amount
        from yields
        where {{ column }} > 0
    {% endfor %}
    union all
    select
        'all attempts' as measure,
        '' as item,
        count(*) as amount
    from {{ ref('int_quality__unit_attempts') }}
    union all
    select
        'all first passes' as measure,
        '' as item,
        count(*) as amount
    from {{ ref('int_quality__unit_attempts') }}
    where is_first_pass
),

counted as (
    select
        {{ join_texts('/', ['cast(step_id as string)', 'cast(units.part_id as string)', 'cast(ended_on as string)']) }}
            as item,
        attempts.*
    from attempts
    inner join {{ ref('int_production__run_units') }} as units
        on attempts.run_id = units.run_id and attempts.part_inventory_id = units.part_inventory_id
),

found as (
    select
        'units' as measure,
        item,
        count(*) as amount
    from counted
    group by item
    union all
    select
        'attempted' as measure,
        item,
        sum(quantity) as amount
    from counted
    group by item
    union all
    select
        'passed first' as measure,
        item,
        coalesce(sum(quantity) filter (where is_first_pass), 0) as amount
    from counted
    group by item
    union all
    select
        not_first_pass_because as measure,
        item,
        sum(quantity) as amount
    from counted
    where not_first_pass_because is not null and quantity > 0
    group by item, not_first_pass_because
    union all
    select
        'all attempts' as measure,
        '' as item,
        count(distinct step_attempt_key) as amount
    from {{ ref('step_attempts') }}
    union all
    select
        'all first passes' as measure,
        '' as item,
        count(*) as amount
    from {{ ref('step_attempts') }}
    where not_first_pass_because is null
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
    -- Floating-point sums in another order are equal if they agree to nine digits.
    or abs(expected.amount - found.amount) > 1e-9 * abs(expected.amount)
