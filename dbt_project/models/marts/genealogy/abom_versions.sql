with states as (
    select * from {{ ref('int_abom_history__structure_states') }}
),

hashed as (
    select * from {{ ref('int_abom_history__structure_hashes') }}
),

versions as (
    select * from {{ ref('int_abom_history__versions') }}
),

units as (
    select * from {{ ref('int_abom_history__units') }}
),

parts as (
    select * from {{ ref('stg_ion__parts') }}
),

lines as (
    select
        versions.part_inventory_id,
        versions.version_number,
        count(*) as line_count,
        count(*) filter (where lines.child_part_inventory_id is null) as open_requirement_count
    from versions
    inner join {{ ref('int_abom_history__lines') }} as lines
        on
            versions.part_inventory_id = lines.parent_part_inventory_id
            and versions.valid_from >= lines.valid_from
            and versions.valid_from < lines.valid_until
    group by versions.part_inventory_id, versions.version_number
),

changes as (
    select
        part_inventory_id,
        version_number,
        {% for change in abom_changes().split() %}
            count(*) filter (where change = '{{ change }}') as {{ change }}_count,
        {% endfor %}
        count(*) filter (where change <> 'indirect') as change_count
    from {{ ref('abom_version_changes') }}
    group by part_inventory_id, version_number
),

current_states as (
    select
        states.part_inventory_id,
        hashed.structure_hash
    from states
    inner join hashed on states.structure_state_id = hashed.structure_state_id
    where states.valid_until = {{ end_of_time() }}
)

select
    cast(versions.part_inventory_id as string) || ':' || cast(versions.version_number as string) as abom_version_key,
    versions.part_inventory_id,
    versions.version_number,
    units.part_id,
    parts.part_number,
    parts.part_revision,
    units.serial_number,
    units.lot_number,
    versions.valid_from,
    nullif(versions.valid_until, {{ end_of_time() }}) as valid_to,
    versions.valid_until = {{ end_of_time() }} as is_current,
    coalesce(lines.line_count, 0) as line_count,
    coalesce(lines.open_requirement_count, 0) as open_requirement_count,
    coalesce(changes.change_count, 0) as change_count,
    {% for change in abom_changes().split() %}
        coalesce(changes.{{ change }}_count, 0) as {{ change }}_count,
    {% endfor %}
    hashed.structure_hash,
    case when versions.valid_until = {{ end_of_time() }} then current_states.structure_hash end as structure_hash_now,
    {{ is_export_controlled('part_inventories', 'versions.part_inventory_id') }} as is_export_controlled
from versions
inner join units
    on
        versions.part_inventory_id = units.part_inventory_id
        and versions.valid_from >= units.valid_from
        and versions.valid_from < units.valid_until
inner join states
    on versions.part_inventory_id = states.part_inventory_id and versions.valid_from = states.valid_from
left join hashed on states.structure_state_id = hashed.structure_state_id
left join current_states on versions.part_inventory_id = current_states.part_inventory_id
left join parts on units.part_id = parts.part_id
left join lines
    on versions.part_inventory_id = lines.part_inventory_id and versions.version_number = lines.version_number
left join changes
    on versions.part_inventory_id = changes.part_inventory_id and versions.version_number = changes.version_number
order by versions.part_inventory_id, versions.version_number
