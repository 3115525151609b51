-- The current rows of `abom_line_history` equal the lines of the current as-built BOM, open lines included, in both
-- directions. The models of the current BOM do not use history.
with today as (
    select
        lines.line_key,
        lines.build_requirement_id,
        lines.abom_installation_id,
        lines.child_part_inventory_id,
        lines.quantity_installed,
        lines.quantity_required,
        lines.reference_designator,
        lines.origin_mbom_item_id,
        lines.origin_mbom_id,
        lines.required_part_number,
        lines.is_substitute,
        lines.is_made_on_assembly,
        cycle_edges.parent_part_inventory_id is not null as is_quarantined
    from {{ ref('int_abom__lines') }} as lines
    left join {{ ref('int_abom__cycle_edges') }} as cycle_edges
        on
            lines.parent_part_inventory_id = cycle_edges.parent_part_inventory_id
            and lines.child_part_inventory_id = cycle_edges.child_part_inventory_id
),

current_lines as (
    select * from {{ ref('abom_line_history') }}
    where is_current
)

select
    coalesce(today.line_key, current_lines.abom_line_key) as line_key,
    today.line_key is null as is_unknown_today,
    current_lines.abom_line_key is null as is_missing_in_history
from today
full outer join current_lines on today.line_key = current_lines.abom_line_key
where
    today.line_key is null
    or current_lines.abom_line_key is null
    or today.build_requirement_id is distinct from current_lines.build_requirement_id
    or today.abom_installation_id is distinct from current_lines.abom_installation_id
    or today.child_part_inventory_id is distinct from current_lines.part_inventory_id
    or today.quantity_installed is distinct from current_lines.quantity_installed
    or today.quantity_required is distinct from current_lines.quantity_required
    or today.reference_designator is distinct from current_lines.reference_designator
    or today.origin_mbom_item_id is distinct from current_lines.origin_mbom_item_id
    or today.origin_mbom_id is distinct from current_lines.origin_mbom_id
    or today.required_part_number is distinct from current_lines.required_part_number
    or today.is_substitute is distinct from current_lines.is_substitute
    or today.is_made_on_assembly is distinct from current_lines.is_made_on_assembly
    or today.is_quarantined is distinct from current_lines.is_quarantined

union all

-- Fails if ION has installations but no line was compared.
select
    'none' as line_key,
    true as is_unknown_today,
    true as is_missing_in_history
from {{ source('ion', 'abom_installations') }}
where (select count(*) from today) = 0
having count(*) > 0
