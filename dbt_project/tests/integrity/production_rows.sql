-- No unit, run, session or piece of stock is lost or duplicated in the production tables.
with expected as (
    {% for entity, mart in {'runs': 'runs', 'run_steps': 'run_steps', 'run_step_sessions': 'labor_sessions'}.items() %}
        select
            '{{ mart }}' as measure,
            cast(count(*) as double) as amount
        from {{ source('ion', entity) }}
        union all
    {% endfor %}
    select
        'serialized_units' as measure,
        count(serial_number) as amount
    from {{ source('ion', 'part_inventories') }}
    union all
    select
        'installed serials' as measure,
        count(distinct child_part_inventory_id) as amount
    from {{ ref('abom_installations') }}
    where child_serial_number is not null
    union all
    select
        'open_runs' as measure,
        count(*) as amount
    from {{ source('ion', 'runs') }}
    where status is null or status not in ('COMPLETE', 'PARTIAL_COMPLETE', 'CANCELED')
    union all
    select
        'open runs with a step left' as measure,
        count(distinct runs.id) as amount
    from {{ source('ion', 'runs') }} as runs
    inner join {{ source('ion', 'run_steps') }} as run_steps on runs.id = run_steps.run_id
    where
        coalesce(runs.status, '') not in ('COMPLETE', 'PARTIAL_COMPLETE', 'CANCELED')
        and coalesce(run_steps.status, '') not in ('COMPLETE', 'CANCELED')
    union all
    select
        'units with a run' as measure,
        count(distinct part_inventory_id) as amount
    from {{ ref('int_production__run_units') }}
    union all
    select
        'pieces in stock' as measure,
        coalesce(sum(quantity), 0) as amount
    from {{ source('ion', 'part_inventories') }}
    union all
    select
        'pieces available' as measure,
        coalesce(sum(quantity_available), 0) as amount
    from {{ source('ion', 'part_inventories') }}
),

found as (
    {% for mart in ['runs', 'run_steps', 'labor_sessions', 'serialized_units', 'open_runs'] %}
        select
            '{{ mart }}' as measure,
            count(*) as amount
        from {{ ref(mart) }}
        union all
    {% endfor %}
    select
        'installed serials' as measure,
        count(installed_in_part_inventory_id) as amount
    from {{ ref('serialized_units') }}
    union all
    select
        'open runs with a step left' as measure,
        count(current_run_step_id) as amount
    from {{ ref('open_runs') }}
    union all
    select
        'units with a run' as measure,
        count(*) as amount
    from {{ ref('run_history') }}
    where recency = 1
    union all
    select
        'pieces in stock' as measure,
        coalesce(sum(quantity_held + quantity_on_order), 0) as amount
    from {{ ref('inventory_by_location') }}
    union all
    select
        'pieces available' as measure,
        coalesce(sum(quantity_available), 0) as amount
    from {{ ref('inventory_by_location') }}
),

-- The volume behind a sum: with negative pieces a sum may be small while its rounding error is not.
volumes as (
    {% for measure, quantity in {'in stock': 'quantity', 'available': 'quantity_available'}.items() %}
        select
            'pieces {{ measure }}' as measure,
            coalesce(sum(abs({{ quantity }})), 0) as amount
        from {{ source('ion', 'part_inventories') }}
        {{ 'union all' if not loop.last }}
    {% endfor %}
)

select
    coalesce(expected.measure, found.measure) as measure,
    expected.amount as expected_amount,
    found.amount as found_amount
from expected
full outer join found on expected.measure = found.measure
left join volumes on expected.measure = volumes.measure
where
    (expected.amount is null) is distinct from (found.amount is null)
    -- Floating-point sums in another order are equal if they agree to nine digits of the summed volume.
    or abs(expected.amount - found.amount) > 1e-9 * coalesce(volumes.amount, abs(expected.amount))
