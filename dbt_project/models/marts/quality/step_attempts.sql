with attempts as (
    select * from {{ ref('int_quality__unit_attempts') }}
),

steps as (
    select * from {{ ref('run_steps') }}
),

pieces as (
    select * from {{ ref('int_inventories__pieces') }}
),

procedures as (
    select * from {{ ref('stg_ion__procedures') }}
),

kinds as (
    select * from {{ ref('int_procedures__step_kinds') }}
)

select
    {{ join_texts('/', ['cast(attempts.run_step_id as string)', 'cast(attempts.attempt_number as string)',
        'cast(attempts.part_inventory_id as string)']) }} as step_attempt_key,
    attempts.run_step_id,
    attempts.attempt_number,
    attempts.unit_attempt_number,
    attempts.run_id,
    steps.run_title,
    steps.procedure_id,
    procedures.procedure_title,
    procedures.procedure_version,
    attempts.step_id,
    steps.execution_order,
    coalesce(kinds.step_title, steps.run_step_title) as step_title,
    steps.step_kind,
    attempts.part_inventory_id,
    coalesce(attempts.part_id, steps.part_id) as part_id,
    coalesce(pieces.part_number, steps.part_number) as part_number,
    coalesce(pieces.part_revision, steps.part_revision) as part_revision,
    pieces.serial_number,
    pieces.lot_number,
    attempts.quantity,
    attempts.outcome,
    attempts.ended_at,
    attempts.ended_on,
    attempts.is_first_pass,
    attempts.unit_attempt_number = 1
    and attempts.part_inventory_id is not null
    and attempts.step_id is not null
        as is_yield_counted,
    {{ not_first_pass_because('attempts') }} as not_first_pass_because,
    attempts.failed_validation_count,
    attempts.redline_count,
    attempts.issue_count,
    attempts.is_last_of_unit,
    attempts.is_from_history,
    coalesce(steps.is_export_controlled, false) or coalesce(pieces.is_export_controlled, false) as is_export_controlled
from attempts
inner join steps on attempts.run_step_id = steps.run_step_id
left join pieces on attempts.part_inventory_id = pieces.part_inventory_id
left join kinds on attempts.step_id = kinds.step_id
left join procedures on steps.procedure_id = procedures.procedure_id
order by attempts.run_step_id, attempts.attempt_number, attempts.part_inventory_id
