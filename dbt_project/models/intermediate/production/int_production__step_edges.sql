{{ config(materialized='table') }}

with run_steps as (
    select * from {{ ref('stg_ion__run_steps') }}
),

listed as (
    select
        run_step_id,
        {{ each_of('upstream_run_step_ids') }} as depends_on_run_step_id
    from run_steps
),

edges as (
    select distinct
        run_step_id,
        'upstream' as dependency,
        depends_on_run_step_id
    from listed
    where depends_on_run_step_id is not null
    union all
    select
        run_step_id,
        'parent' as dependency,
        parent_run_step_id as depends_on_run_step_id
    from run_steps
    where parent_run_step_id is not null
)

select
    edges.run_step_id,
    edges.dependency,
    edges.depends_on_run_step_id,
    before.step_id as depends_on_step_id,
    before.run_step_title as depends_on_title,
    before.status as depends_on_status,
    before.is_export_controlled as depends_on_is_export_controlled
from edges
left join {{ ref('int_production__run_steps') }} as before on edges.depends_on_run_step_id = before.run_step_id
