with inventories as (
    select * from {{ ref('part_inventories') }}
),

configured as (
    select * from {{ ref('abom_configurations') }}
),

built as (
    select
        inventories.part_inventory_id,
        inventories.created_at,
        configured.configuration_hash,
        lag(inventories.part_inventory_id) over previous as previous_part_inventory_id,
        lag(configured.configuration_hash) over previous as previous_configuration_hash
    from inventories
    inner join configured on inventories.part_inventory_id = configured.part_inventory_id
    where inventories.tracking_type = 'SERIAL' and inventories.part_number is not null
    window previous as (
        partition by inventories.part_number order by inventories.created_at, inventories.part_inventory_id
    )
),

-- Units with equal configurations need no comparison.
pairs as (
    select
        part_inventory_id as pair_key,
        part_inventory_id,
        previous_part_inventory_id
    from built
    where configuration_hash <> previous_configuration_hash
),

installations as (
    select * from {{ ref('abom_installations') }}
    where
        parent_part_inventory_id in (select pairs.part_inventory_id from pairs)
        or parent_part_inventory_id in (select pairs.previous_part_inventory_id from pairs)
),

lines as (
    {{- compared_lines('installations', 'configured') }}
),

wholes as (
    select
        *,
        {{ whole_row('lines') }} as line
    from lines
),

befores as (
    select
        pairs.pair_key,
        wholes.*
    from pairs
    inner join wholes on pairs.previous_part_inventory_id = wholes.part_inventory_id
),

afters as (
    select
        pairs.pair_key,
        wholes.*
    from pairs
    inner join wholes on pairs.part_inventory_id = wholes.part_inventory_id
),

-- In the first round the key is that of the line itself, so a join suffices, and lines that are equal in both units
-- drop out at once.
found_1 as (
    {{ rounds_begin() }}
    select
        coalesce(befores.pair_key, afters.pair_key) as pair_key,
        befores.line as line_before,
        afters.line as line_after
    from befores
    full outer join afters
        on
            befores.pair_key = afters.pair_key
            and befores.planned_line = afters.planned_line
            and befores.designator_key is not distinct from afters.designator_key
            and befores.part_number = afters.part_number
    where
        befores.configurations is distinct from afters.configurations
        or {{ line_change('befores', 'afters') | indent(8) }} is not null
    {{ rounds_end() }}
),

{% for round in range(2, line_match_rounds() | int + 1) %}
    looking_{{ round }} as (
        select * from found_{{ round - 1 }}
        where line_before is null or line_after is null
    ),

    {{ match_round('looking_' ~ round, round, suffix='_' ~ round) | indent }}
{% endfor %}

compared as (
    {% for round in range(1, line_match_rounds() | int) %}
        select * from found_{{ round }}
        where line_before is not null and line_after is not null
        union all
    {% endfor %}
    select * from found_{{ line_match_rounds() }}
),

changes as (
    select
        *,
        {{ line_is_changed_below('line_before', 'line_after') }} as is_changed_below,
        {{ line_change('line_before', 'line_after') | indent(8) }} as own_change,
        coalesce({{ line_label('line_after') }}, {{ line_label('line_before') }}) as line
    from compared
)

select
    pairs.part_inventory_id,
    pairs.previous_part_inventory_id,
    {{ changed_line_key('changes.line_before', 'changes.line_after') }} as changed_line_key,
    units.part_number,
    units.part_revision,
    previous.part_revision as previous_part_revision,
    units.serial_number,
    previous.serial_number as previous_serial_number,
    coalesce(changes.own_change, 'indirect') as change,
    changes.line,
    {{- changed_line_columns('changes.line_before', 'changes.line_after') }}
    changes.is_changed_below,
    1 as depth,
    units.part_number || ' > ' || changes.line as path_text
from changes
inner join pairs on changes.pair_key = pairs.pair_key
inner join inventories as units on pairs.part_inventory_id = units.part_inventory_id
inner join inventories as previous on pairs.previous_part_inventory_id = previous.part_inventory_id
where changes.own_change is not null or changes.is_changed_below
order by pairs.part_inventory_id, changes.line, changed_line_key
