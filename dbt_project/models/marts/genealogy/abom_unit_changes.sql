with recursive inventories as (
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

-- What is built alike needs no look.
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

befores as (
    select
        pairs.pair_key,
        lines as line
    from pairs
    inner join lines on pairs.previous_part_inventory_id = lines.part_inventory_id
),

afters as (
    select
        pairs.pair_key,
        lines as line
    from pairs
    inner join lines on pairs.part_inventory_id = lines.part_inventory_id
),

-- The first round has the key of a line itself, so a join does it, and what is the same in both is gone at once.
unlike as (
    select
        coalesce(befores.pair_key, afters.pair_key) as pair_key,
        befores.line as before,
        afters.line as after
    from befores
    full outer join afters
        on
            befores.pair_key = afters.pair_key
            and befores.line.planned_line = afters.line.planned_line
            and befores.line.reference_designator is not distinct from afters.line.reference_designator
            and befores.line.part_number = afters.line.part_number
    where
        befores.line.configurations is distinct from afters.line.configurations
        or {{ line_change('befores.line', 'afters.line') | indent(8) }} is not null
),

compared as (
    select
        *,
        2 as round,
        before is not null and after is not null as is_done
    from unlike

    union all

    (
        with looking as (
            select * from compared
            where not is_done
        ),

        {{ match_round('looking') | indent(8) }}

        select
            pair_key,
            before,
            after,
            round + 1 as round,
            (before is not null and after is not null) or round = {{ line_match_rounds() }} as is_done
        from found
    )
),

changes as (
    select
        compared.*,
        coalesce(before.part_number = after.part_number and before.configurations <> after.configurations, false)
            as is_changed_below,
        {{ line_change('before', 'after') | indent(8) }} as own_change,
        coalesce({{ line_label('after') }}, {{ line_label('before') }}) as line
    from compared
    where is_done
)

select
    pairs.part_inventory_id,
    pairs.previous_part_inventory_id,
    {{ changed_line_key('changes.before', 'changes.after') }} as changed_line_key,
    units.part_number,
    units.part_revision,
    previous.part_revision as previous_part_revision,
    units.serial_number,
    previous.serial_number as previous_serial_number,
    coalesce(changes.own_change, 'indirect') as change,
    changes.line,
    {{- changed_line_columns('changes.before', 'changes.after') }}
    changes.is_changed_below,
    1 as depth,
    units.part_number || ' > ' || changes.line as path_text
from changes
inner join pairs on changes.pair_key = pairs.pair_key
inner join inventories as units on pairs.part_inventory_id = units.part_inventory_id
inner join inventories as previous on pairs.previous_part_inventory_id = previous.part_inventory_id
where changes.own_change is not null or changes.is_changed_below
order by pairs.part_inventory_id, changes.line, changed_line_key
