with steps as (
    select * from {{ ref('stg_ion__steps') }}
),

step_order as (
    select * from {{ ref('int_procedures__step_order') }}
),

procedures as (
    select * from {{ ref('stg_ion__procedures') }}
),

locations as (
    select * from {{ ref('locations') }}
),

attribute_maps as (
    {{ attribute_maps('step') }}
),

limits as (
    select
        validations.step_field_id,
        {{ list_of(struct_of(['function_name', 'limit_value']), 'validations.position, step_field_validation_id') }}
            as limits
    from {{ ref('stg_ion__step_field_validations') }} as validations
    left join {{ ref('stg_ion__validation_functions') }} as functions
        on validations.validation_function_id = functions.validation_function_id
    group by validations.step_field_id
),

limited_fields as (
    select
        fields.*,
        coalesce(limits.limits, {{ empty_list() }}) as limits
    from {{ ref('stg_ion__step_fields') }} as fields
    left join limits on fields.step_field_id = limits.step_field_id
),

fields as (
    select
        step_id,
        count(*) as field_count,
        {{ list_of(struct_of([
            'step_field_id', 'step_field_name', 'step_field_type', 'unit', 'is_required', 'options', 'limits'
        ]), 'position, step_field_id') }} as fields
    from limited_fields
    group by step_id
)

select
    steps.step_id,
    coalesce(step_order.procedure_id, steps.procedure_id) as procedure_id,
    procedures.procedure_title,
    procedures.procedure_version,
    procedures.procedure_family_id,
    procedures.status as procedure_status,
    case when coalesce(step_order.procedure_id, steps.procedure_id) is not null then step_order.execution_order end
        as execution_order,
    step_order.step_level,
    steps.position as step_position,
    steps.step_title,
    steps.step_type,
    steps.content,
    steps.parent_step_id,
    step_order.depth,
    coalesce(steps.upstream_step_ids, {{ empty_list() }}) as upstream_step_ids,
    {{ list_text('steps.upstream_step_ids') }} as upstream_step_ids_text,
    steps.step_family_id,
    steps.origin_step_id,
    steps.is_standard_step,
    steps.lead_time,
    steps.location_id,
    locations.location_name,
    coalesce(fields.field_count, 0) as field_count,
    coalesce(fields.fields, {{ empty_list() }}) as fields,
    attribute_maps.attributes,
    steps.created_at,
    steps.updated_at,
    steps.is_export_controlled
from steps
left join step_order on steps.step_id = step_order.step_id
left join procedures on coalesce(step_order.procedure_id, steps.procedure_id) = procedures.procedure_id
left join locations on steps.location_id = locations.location_id
left join fields on steps.step_id = fields.step_id
left join attribute_maps on steps.step_id = attribute_maps.owner_id
order by procedure_id, execution_order, steps.step_id
