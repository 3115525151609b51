with steps as (
    select * from {{ ref('stg_ion__steps') }}
),

step_order as (
    select * from {{ ref('int_procedures__step_order') }}
),

matches as (
    select
        steps.step_id,
        -- The order of precedence (mandatory, optional, rework) is also alphabetical, so max() gives the strongest.
        max(kinds.step_kind) as step_kind
    from steps
    inner join {{ ref('procedure_step_kinds') }} as kinds
        on lower(steps.step_title) like lower(kinds.title_pattern)
    group by steps.step_id
),

holders as (
    select distinct parent_step_id as step_id
    from steps
    where parent_step_id is not null
),

recorders as (
    select distinct step_id
    from {{ ref('stg_ion__step_fields') }}
)

select
    steps.step_id,
    coalesce(step_order.procedure_id, steps.procedure_id) as procedure_id,
    steps.step_title,
    step_order.execution_order,
    coalesce(matches.step_kind, 'mandatory') as step_kind,
    coalesce(
        holders.step_id is not null and recorders.step_id is null and steps.step_type <> 'DATAGRID', false
    ) as is_group
from steps
left join step_order on steps.step_id = step_order.step_id
left join matches on steps.step_id = matches.step_id
left join holders on steps.step_id = holders.step_id
left join recorders on steps.step_id = recorders.step_id
