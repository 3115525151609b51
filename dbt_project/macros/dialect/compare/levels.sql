{#- All lines of the units, each with its number and display label: the CTE `lines` of a macro. -#}
{% macro numbered_lines() -%}
summed as (
    {{- compared_lines('installations', 'configured', with_units=true) }}
),

-- `distinct` removes no row. It replaces `as materialized`, which a stored macro loses: without it, DuckDB 1.1 would
-- compute the lines again for each use.
lines as (
    select distinct
        summed.*,
        {{ line_label('summed') }} as label,
        row_number() over (
            order by
                {{ line_order('summed') | indent(16) }}
        ) as line_number
    from summed
),
{%- endmacro %}

{#-
    Compares two units level by level: the end of a macro that has the CTEs `lines`, all lines of the units in both
    trees (numbered_lines), and `configured`, the hash of each unit that holds something. `one` and `other` are the
    units, `label` is the start of their path; `halved` is true where ids were doubled to distinguish two instants.

    A tree has only a few hundred rows, so query planning and the operators that run again in every round of the
    recursion determine the run time. Therefore the rounds carry line numbers instead of lines, go directly to the next
    key in which two lines of a pair agree, and use lists instead of further windows or joins.
-#}
{% macro compared_at_every_level(one, other, label, halved=false) -%}
-- A row is a line without a partner yet, or (is_done) a line whose search for a partner is finished. Finished lines are
-- in the result, and their content is compared one level further down.
compared as (
    select
        '' as pair_key,
        1 as depth,
        {{ label }} as parent_path,
        false as is_done,
        case when lines.part_inventory_id = {{ one }} then lines.line_number end as line_before,
        case when lines.part_inventory_id = {{ other }} then lines.line_number end as line_after
    from lines
    where
        lines.part_inventory_id in ({{ one }}, {{ other }})
        -- Units with equal configurations do not differ at any level.
        and (select configured.configuration_hash from configured where configured.part_inventory_id = {{ one }})
        is distinct from (
            select configured.configuration_hash from configured where configured.part_inventory_id = {{ other }}
        )

    union all

    (
        with keyed as (
            select
                looking.*,
                rounds.round,
                {{ line_match_key('rounds.round', 'lines') | indent(16) }} as match_key
            from compared as looking
            inner join lines on coalesce(looking.line_before, looking.line_after) = lines.line_number
            cross join range(1, {{ line_match_rounds() | int + 1 }}) as rounds (round)
            where not looking.is_done
        ),

        -- Groups of lines that agree in the key of a round, for all rounds at once. Lines without a key are grouped by
        -- side.
        agreeing as (
            select
                pair_key,
                round,
                any_value(depth) as depth,
                any_value(parent_path) as parent_path,
                coalesce(list_sort(list(line_before) filter (line_before is not null)), []) as lines_before,
                coalesce(list_sort(list(line_after) filter (line_after is not null)), []) as lines_after
            from keyed
            group by pair_key, round, match_key, match_key is null and line_before is null
        ),

        -- The first round in which lines of a pair match; earlier rounds would change nothing.
        turns as (
            select
                pair_key,
                any_value(depth) as depth,
                any_value(parent_path) as parent_path,
                min(round) filter (len(lines_before) > 0 and len(lines_after) > 0) as first_round,
                list({'round': round, 'lines_before': lines_before, 'lines_after': lines_after}) as groups
            from agreeing
            group by pair_key
        ),

        groups as (
            select
                pair_key,
                depth,
                parent_path,
                first_round,
                unnest([held for held in groups if held.round = coalesce(first_round, 1)]) as held
            from turns
        ),

        found as (
            select
                *,
                unnest(range(1, 1 + greatest(len(held.lines_before), len(held.lines_after)))) as place
            from groups
        ),

        -- Configurations that exist on both sides are skipped, unless there are no others; of equal ones, the first is
        -- used.
        opened as (
            select
                compared.pair_key || '/' || compared.line_before as pair_key,
                compared.depth + 1 as depth,
                compared.parent_path || ' > ' || after.label as parent_path,
                {%- for side, other in [('before', 'after'), ('after', 'before')] %}
                [
                    unit.part_inventory_id for unit, place in {{ side }}.units
                    if not list_contains({{ other }}.configurations, unit.configuration)
                    and list_position([twin.configuration for twin in {{ side }}.units], unit.configuration) = place
                ]
                || case
                    when list_has_all({{ other }}.configurations, {{ side }}.configurations)
                        then [{{ side }}.units[1].part_inventory_id]
                    else []
                end as units_{{ side }}{{ ',' if not loop.last }}
                {%- endfor %}
            from compared
            inner join lines as before on compared.line_before = before.line_number
            inner join lines as after on compared.line_after = after.line_number
            where
                compared.is_done
                and {{ line_is_changed_below('before', 'after') | indent(16) }}
                and compared.depth < {{ var('abom_max_depth') }}
        ),

        -- Each unit is paired with one of the other side; the last unit is paired with all remaining ones.
        places as (
            select
                *,
                unnest(range(1, 1 + greatest(len(units_before), len(units_after)))) as place
            from opened
        ),

        pairs as (
            select
                pair_key || '-' || place as pair_key,
                depth,
                parent_path,
                units_before[least(place, len(units_before))] as unit_before,
                units_after[least(place, len(units_after))] as unit_after
            from places
        )

        select
            pair_key,
            depth,
            parent_path,
            first_round is null or place <= least(len(held.lines_before), len(held.lines_after)) as is_done,
            held.lines_before[place] as line_before,
            held.lines_after[place] as line_after
        from found

        union all

        select
            pairs.pair_key,
            pairs.depth,
            pairs.parent_path,
            false as is_done,
            case when lines.part_inventory_id = pairs.unit_before then lines.line_number end as line_before,
            case when lines.part_inventory_id = pairs.unit_after then lines.line_number end as line_after
        from pairs
        inner join lines on lines.part_inventory_id in (pairs.unit_before, pairs.unit_after)
    )
),

-- Each finished line, and once more for what is not compared below it: beyond the last level, a difference is not found.
changes as (
    select
        case
            when not ends.is_end
                then {{ line_change('before', 'after') | indent(20) }}
            when compared.depth >= {{ var('abom_max_depth') }}
                and {{ line_is_changed_below('before', 'after') | indent(20) }}
                then 'not_compared'
        end as change,
        coalesce(after.label, before.label) as line,
        {{- changed_line_columns('before', 'after') | indent(4) }}
        compared.depth,
        compared.parent_path || ' > ' || line as path_text
    from compared
    left join lines as before on compared.line_before = before.line_number
    left join lines as after on compared.line_after = after.line_number
    cross join (select unnest([false, true]) as is_end) as ends
    where compared.is_done
)

select *
{%- if halved %} replace (
    part_inventory_id_before // 2 as part_inventory_id_before,
    part_inventory_id_after // 2 as part_inventory_id_after
)
{%- endif %}
from changes
where change is not null
order by path_text, change, part_number_before, part_number_after, build_requirement_id_before, build_requirement_id_after
{%- endmacro %}
