with on_hand as (
    select
        {{ part_record_columns(
            'on_hand', 'part_inventories', 'part_inventory_id',
            name="coalesce(serial_number, lot_number, '#' || cast(part_inventory_id as string))",
            quantity='quantity', quantity_open=not_below_zero('quantity - coalesce(quantity_installed, 0)'),
            unit='unit_of_measure'
        ) }}
    from {{ ref('part_inventories') }}
    where status in ('AVAILABLE', 'UNAVAILABLE')
),

-- The quantity that is due is in the unit of the part, and null where that is unclear.
on_purchase as (
    select
        {{ part_record_columns(
            'on_purchase', 'purchase_order_lines', 'lines.purchase_order_line_id', part='lines.part_id',
            name="'order ' || cast(lines.purchase_order_id as string)", status='lines.status',
            quantity='lines.quantity_due', quantity_open=not_below_zero('lines.quantity_due - lines.quantity_received'),
            due_at='lines.promised_at', is_export_controlled='lines.is_export_controlled'
        ) }}
    from {{ ref('purchase_order_lines') }} as lines
    left join {{ ref('stg_ion__purchase_orders') }} as orders on lines.purchase_order_id = orders.purchase_order_id
    where coalesce(lines.status, '') not in ('RECEIVED', 'CANCELED') and orders.status is distinct from 'CANCELED'
),

on_runs as (
    select
        {{ part_record_columns(
            'on_runs', 'runs', 'run_id', name='run_title', quantity='quantity', quantity_open='quantity',
            due_at='due_at'
        ) }}
    from {{ ref('stg_ion__runs') }}
    where coalesce(status, '') not in ('COMPLETE', 'CANCELED')
),

links as (
    select
        links.*,
        procedures.procedure_title,
        procedures.status as procedure_status,
        coalesce(procedures.procedure_family_id, links.procedure_id) as procedure_family_id,
        row_number() over (
            partition by links.part_id, coalesce(procedures.procedure_family_id, links.procedure_id)
            order by procedures.procedure_version desc nulls last, links.procedure_id desc
        ) as place
    from {{ ref('stg_ion__part_procedures') }} as links
    left join {{ ref('stg_ion__procedures') }} as procedures on links.procedure_id = procedures.procedure_id
),

linked_procedures as (
    select
        {{ part_record_columns(
            'procedures', 'procedures', 'procedure_id', name='procedure_title', status='procedure_status',
            family='procedure_family_id'
        ) }}
    from links
    where place = 1
),

mbom_versions as (
    select
        *,
        row_number() over (partition by part_id order by mbom_version desc nulls last, mbom_id desc) as place
    from {{ ref('stg_ion__mboms') }}
),

plan_lines as (
    select
        {{ part_record_columns(
            'plan_lines', 'mbom_items', 'items.mbom_item_id', part='items.part_id', name=part_label('parents'),
            status='mboms.status', quantity='items.quantity', is_export_controlled='items.is_export_controlled'
        ) }}
    from {{ ref('stg_ion__mbom_items') }} as items
    inner join mbom_versions as mboms on items.mbom_id = mboms.mbom_id and mboms.place = 1
    left join {{ ref('stg_ion__parts') }} as parents on mboms.part_id = parents.part_id
    where not coalesce(items.is_deleted, false)
),

requirements as (
    select
        {{ part_record_columns(
            'build_requirements', none, 'build_requirement_id', record_type='requirement_type', name='parent_label',
            status='parent_status', quantity='quantity_required', quantity_open='quantity_open'
        ) }}
    from {{ ref('int_abom__open_requirements') }}
),

kit_items as (
    select
        {{ part_record_columns(
            'kit_items', 'part_kit_items', 'items.part_kit_item_id', part='items.part_id',
            name="'kit ' || cast(items.part_kit_id as string)", status='kits.status', quantity='items.quantity',
            quantity_open='items.quantity - coalesce(items.quantity_fulfilled, 0)',
            is_export_controlled='items.is_export_controlled'
        ) }}
    from {{ ref('stg_ion__part_kit_items') }} as items
    left join {{ ref('stg_ion__part_kits') }} as kits on items.part_kit_id = kits.part_kit_id
    where items.quantity - coalesce(items.quantity_fulfilled, 0) > 1e-9 * items.quantity
),

plan_inputs as (
    select
        {{ part_record_columns(
            'plan_inputs', 'plan_inputs', 'inputs.plan_input_id', part='inputs.part_id', name='plans.plan_name',
            status='plans.status', quantity='inputs.quantity',
            quantity_open='inputs.quantity - coalesce(inputs.completed_quantity, 0)', due_at='inputs.due_at',
            is_export_controlled='inputs.is_export_controlled'
        ) }}
    from {{ ref('stg_ion__plan_inputs') }} as inputs
    inner join {{ ref('stg_ion__plans') }} as plans on inputs.plan_id = plans.plan_id
    where plans.status in ('IN_PROGRESS', 'SCHEDULED') and coalesce(inputs.completed_quantity, 0) < inputs.quantity
)

{% for kind in [
    'on_hand', 'on_purchase', 'on_runs', 'linked_procedures', 'plan_lines', 'requirements', 'kit_items', 'plan_inputs'
] %}
    select * from {{ kind }}
    {{ 'union all' if not loop.last }}
{% endfor %}
