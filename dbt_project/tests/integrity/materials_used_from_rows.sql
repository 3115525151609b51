-- Each installation is in as many rows as runs of its unit were in progress, and its step is one of the run.
with spans as (
    select
        history.part_inventory_id,
        history.run_id,
        coalesce(history.first_started_at, history.created_at) as begun_at,
        case
            when history.last_completed_at is not null then history.last_completed_at
            when not history.is_finished then open_runs.as_of_at
        end as done_at
    from {{ ref('run_history') }} as history
    left join {{ ref('open_runs') }} as open_runs on history.run_id = open_runs.run_id
),

expected as (
    select
        installed.abom_installation_key,
        count(*) as run_count,
        sum(spans.run_id) as run_ids
    from {{ ref('abom_installations') }} as installed
    inner join spans
        on
            installed.parent_part_inventory_id = spans.part_inventory_id
            and installed.installed_at >= spans.begun_at
            and installed.installed_at <= spans.done_at
    group by installed.abom_installation_key
),

found as (
    select
        used.abom_installation_key,
        count(*) as row_count,
        max(used.run_count) as run_count,
        sum(used.run_id) as run_ids,
        count(used.run_step_id) as step_count,
        count(steps.run_step_id) as own_step_count
    from {{ ref('materials_used') }} as used
    left join {{ ref('run_steps') }} as steps on used.run_step_id = steps.run_step_id and used.run_id = steps.run_id
    group by used.abom_installation_key
)

select coalesce(expected.abom_installation_key, found.abom_installation_key) as abom_installation_key
from expected
full outer join found on expected.abom_installation_key = found.abom_installation_key
where
    expected.run_count is distinct from found.row_count
    or expected.run_count is distinct from found.run_count
    or expected.run_ids is distinct from found.run_ids
    or found.step_count <> found.own_step_count
