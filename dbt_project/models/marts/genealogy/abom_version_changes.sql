with versions as (
    select * from {{ ref('int_abom_history__versions') }}
),

changes as (
    select * from {{ ref('int_abom_history__line_changes') }}
    where change <> 'unchanged'
    union all
    select * from {{ ref('int_abom_history__indirect_changes') }}
),

loads as (
    select * from {{ ref('stg_ion__loads') }}
),

parts as (
    select * from {{ ref('stg_ion__parts') }}
)

select
    cast(changes.part_inventory_id as string) || '@' || loads.load_id
    || ' ' || coalesce(changes.line_key_before, '') || '>' || coalesce(changes.line_key_after, '')
        as abom_version_change_key,
    changes.part_inventory_id,
    versions.version_number,
    changes.changed_at,
    changes.change,
    'requirement '
    || cast(coalesce(changes.build_requirement_id_after, changes.build_requirement_id_before) as string)
    || coalesce(' at ' || coalesce(changes.reference_designator_after, changes.reference_designator_before), '')
        as line,
    {% for suffix in ['before', 'after'] %}
        changes.build_requirement_id_{{ suffix }},
        changes.abom_installation_id_{{ suffix }},
        changes.child_part_inventory_id_{{ suffix }} as part_inventory_id_{{ suffix }},
        changes.part_id_{{ suffix }},
        parts_{{ suffix }}.part_number as part_number_{{ suffix }},
        parts_{{ suffix }}.part_revision as part_revision_{{ suffix }},
        changes.serial_number_{{ suffix }},
        changes.lot_number_{{ suffix }},
        changes.reference_designator_{{ suffix }},
        changes.quantity_{{ suffix }},
        changes.quantity_required_{{ suffix }},
    {% endfor %}
    changes.requirement_after,
    changes.ion_changed_at,
    {{ is_export_controlled('part_inventories', 'changes.part_inventory_id') }}
    or {{ is_export_controlled('part_inventories', 'changes.child_part_inventory_id_before') }}
    or {{ is_export_controlled('part_inventories', 'changes.child_part_inventory_id_after') }}
    or {{ is_export_controlled('parts', 'changes.part_id_before') }}
    or {{ is_export_controlled('parts', 'changes.part_id_after') }}
    -- The required part counts as well, even if another part is installed.
    {% for suffix in ['before', 'after'] %}
        or case changes.abom_generation
            when 1 then {{ is_export_controlled('abom_items', 'changes.build_requirement_id_' ~ suffix) }}
            else {{ is_export_controlled('build_requirements', 'changes.build_requirement_id_' ~ suffix) }}
        end
    {%- endfor %} as is_export_controlled
from changes
inner join versions
    on
        changes.part_inventory_id = versions.part_inventory_id
        and changes.changed_at >= versions.valid_from
        and changes.changed_at < versions.valid_until
inner join loads on changes.changed_at = loads.valid_from
left join parts as parts_before on changes.part_id_before = parts_before.part_id
left join parts as parts_after on changes.part_id_after = parts_after.part_id
order by changes.part_inventory_id, changes.changed_at, abom_version_change_key
