with started as (
    select * from {{ ref('int_quality__started_steps') }}
),

step_kinds as (
    select * from {{ ref('int_procedures__step_kinds') }}
),

procedures as (
    select * from {{ ref('stg_ion__procedures') }}
),

summed as (
    select
        day_on,
        step_id,
        part_id,
        -- A run whose unit's part ION withholds shows its own part.
        max(part_number) as part_number,
        max(part_revision) as part_revision,
        count(*) filter (where not is_cancelled) as run_steps_started,
        count(*) filter (where not is_cancelled and redline_count > 0) as run_steps_redlined,
        coalesce(sum(redline_count) filter (where not is_cancelled), 0) as redlines,
        count(*) filter (where is_cancelled) as run_steps_cancelled
    from started
    group by day_on, step_id, part_id
)

select
    {{ join_texts('/', [
        'cast(summed.step_id as string)', 'cast(summed.part_id as string)', 'cast(summed.day_on as string)'
    ]) }} as step_redline_rate_key,
    summed.day_on,
    summed.step_id,
    summed.part_id,
    summed.part_number,
    summed.part_revision,
    step_kinds.procedure_id,
    procedures.procedure_title,
    procedures.procedure_version,
    step_kinds.execution_order,
    step_kinds.step_title,
    step_kinds.step_kind,
    summed.run_steps_started,
    summed.run_steps_redlined,
    summed.run_steps_redlined / nullif(summed.run_steps_started, 0) as step_redline_rate,
    cast(summed.redlines as bigint) as redlines,
    summed.redlines / nullif(summed.run_steps_started, 0) as redlines_per_run_step,
    summed.run_steps_cancelled
from summed
left join step_kinds on summed.step_id = step_kinds.step_id
left join procedures on step_kinds.procedure_id = procedures.procedure_id
order by
    step_kinds.procedure_id, step_kinds.execution_order, summed.step_id, summed.part_number, summed.part_id,
    summed.day_on
