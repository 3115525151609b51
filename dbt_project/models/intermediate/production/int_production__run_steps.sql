{{ config(materialized='table') }}

with run_steps as (
    select * from {{ ref('stg_ion__run_steps') }}
),

step_kinds as (
    select * from {{ ref('int_procedures__step_kinds') }}
),

holders as (
    select distinct parent_run_step_id as run_step_id
    from run_steps
    where parent_run_step_id is not null
),

groups as (
    select holders.run_step_id
    from holders
    inner join run_steps on holders.run_step_id = run_steps.run_step_id
    where
        run_steps.run_step_type is distinct from 'DATAGRID'
        and holders.run_step_id not in (
            select fields.run_step_id from {{ ref('stg_ion__run_step_fields') }} as fields
        )
)

select
    run_steps.run_step_id,
    run_steps.run_id,
    run_steps.origin_step_id as step_id,
    step_kinds.procedure_id,
    step_kinds.execution_order,
    case when step_kinds.procedure_id is not null then step_kinds.step_kind end as step_kind,
    groups.run_step_id is not null as is_group,
    -- A library step belongs to no procedure, so it was added to the run during the run.
    run_steps.origin_step_id is null or (step_kinds.step_id is not null and step_kinds.procedure_id is null)
        as is_added_by_redline,
    run_steps.run_step_title,
    run_steps.status,
    run_steps.updated_at,
    run_steps.is_export_controlled
from run_steps
left join step_kinds on run_steps.origin_step_id = step_kinds.step_id
left join groups on run_steps.run_step_id = groups.run_step_id
order by run_steps.run_id, run_steps.run_step_id
