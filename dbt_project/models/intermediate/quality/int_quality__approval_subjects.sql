with issues as (
    select * from {{ ref('stg_ion__issues') }}
),

mboms as (
    select * from {{ ref('stg_ion__mboms') }}
),

procedures as (
    select * from {{ ref('stg_ion__procedures') }}
),

orders as (
    select * from {{ ref('stg_ion__purchase_orders') }}
),

redlines as (
    select * from {{ ref('stg_ion__redlines') }}
),

steps as (
    select * from {{ ref('stg_ion__steps') }}
)

select
    'issue' as approval_kind,
    issue_id as subject_id,
    issue_title as subject,
    status as subject_status,
    -- The state of an issue, together with the gate, says whether an approval is still needed.
    false as is_approved
from issues
union all
select
    'mbom' as approval_kind,
    mboms.mbom_id as subject_id,
    {{ part_label('parts') }} || ' version ' || cast(mboms.mbom_version as string) as subject,
    mboms.status as subject_status,
    coalesce(mboms.status in ('RELEASED', 'ARCHIVED'), false) as is_approved
from mboms
left join {{ ref('stg_ion__parts') }} as parts on mboms.part_id = parts.part_id
union all
select
    'procedure' as approval_kind,
    procedure_id as subject_id,
    procedure_title || ' version ' || cast(procedure_version as string) as subject,
    status as subject_status,
    coalesce(status in ('RELEASED', 'ARCHIVED'), false) as is_approved
from procedures
union all
select
    'purchase_order' as approval_kind,
    orders.purchase_order_id as subject_id,
    'order ' || cast(orders.purchase_order_id as string) || coalesce(', ' || suppliers.supplier_name, '') as subject,
    orders.status as subject_status,
    coalesce(orders.is_approved or orders.status not in ('DRAFT', 'IN_REVIEW', 'REQUESTED'), false) as is_approved
from orders
left join {{ ref('stg_ion__suppliers') }} as suppliers on orders.supplier_id = suppliers.supplier_id
union all
select
    'redline' as approval_kind,
    redlines.redline_id as subject_id,
    'redline of ' || coalesce(run_steps.run_step_title, 'step ' || cast(redlines.run_step_id as string)) as subject,
    redlines.active as subject_status,
    coalesce(redlines.is_approved, false) as is_approved
from redlines
left join {{ ref('stg_ion__run_steps') }} as run_steps on redlines.run_step_id = run_steps.run_step_id
union all
select
    'standard_step' as approval_kind,
    step_id as subject_id,
    step_title as subject,
    cast(null as string) as subject_status,
    coalesce(is_approved, false) as is_approved
from steps
where is_standard_step
