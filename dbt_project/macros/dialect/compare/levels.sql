{#-
    Two units compared level by level: the end of a macro that has `lines` of all units in both trees and `configured`, the
    hash of each that holds something. `one` and `other` are the units, `label` is what their path begins with;
    `halved` where their ids were doubled to tell them apart.
-#}
{% macro compared_at_every_level(one, other, label, halved=false) -%}
-- A row is a line that still looks for its partner, or (is_done) one that has found it or never will. What is done is
-- in the result, and opens the comparison of what it holds one level further down.
compared as (
    select
        '' as pair_key,
        1 as depth,
        {{ label }} as parent_path,
        1 as round,
        false as is_done,
        case when lines.part_inventory_id = {{ one }} then lines end as line_before,
        case when lines.part_inventory_id = {{ other }} then lines end as line_after
    from lines
    where
        lines.part_inventory_id in ({{ one }}, {{ other }})
        -- Units that are configured alike do not differ, here and further down.
        and (select configuration_hash from configured where part_inventory_id = {{ one }})
        is distinct from (select configuration_hash from configured where part_inventory_id = {{ other }})

    union all

    (
        with looking as (
            select * from compared
            where not compared.is_done
        ),

        {{ match_round('looking', 'sides.round', ['depth', 'parent_path', 'round']) | indent(8) }}

        opened as (
            select
                compared.pair_key || '/' || compared.line_before.planned_line || '@'
                || coalesce(compared.line_before.reference_designator, '') || ':' || compared.line_before.part_number as pair_key,
                compared.depth + 1 as depth,
                compared.parent_path || ' > ' || {{ line_label('compared.line_after') }} as parent_path,
                compared.line_before.units as units_before,
                compared.line_after.units as units_after,
                compared.line_before.configurations as configurations_before,
                compared.line_after.configurations as configurations_after
            from compared
            where
                compared.is_done
                and {{ line_is_changed_below('compared.line_before', 'compared.line_after') | indent(12) }}
                and compared.depth < {{ var('abom_max_depth') }}
        ),

        members as (
            {%- for side, other in [('before', 'after'), ('after', 'before')] %}
            select
                '{{ side }}' as side,
                opened.pair_key,
                opened.depth,
                opened.parent_path,
                unnest(opened.units_{{ side }}) as unit,
                opened.configurations_{{ other }} as configurations_opposite
            from opened
            {{ 'union all' if not loop.last }}
            {%- endfor %}
        ),

        -- What is alike on both sides needs no look; of the rest, each is set against one of the other side.
        ranked as (
            select
                members.side,
                members.pair_key,
                any_value(members.depth) as depth,
                any_value(members.parent_path) as parent_path,
                min(members.unit.part_inventory_id) as part_inventory_id,
                bool_or(list_contains(members.configurations_opposite, members.unit.configuration)) as is_on_both_sides,
                row_number() over (
                    partition by members.side, members.pair_key
                    order by
                        bool_or(list_contains(members.configurations_opposite, members.unit.configuration)),
                        min(members.unit.part_inventory_id)
                ) as place
            from members
            group by members.side, members.pair_key, members.unit.configuration
        ),

        placed as (
            select
                ranked.*,
                max(ranked.place) over (partition by ranked.side, ranked.pair_key) as last_place
            from ranked
            where not ranked.is_on_both_sides or ranked.place = 1
        ),

        pairs as (
            select
                one.depth,
                one.parent_path,
                one.pair_key || '/' || one.part_inventory_id || '-' || other.part_inventory_id as pair_key,
                one.part_inventory_id as unit_before,
                other.part_inventory_id as unit_after
            from placed as one
            inner join placed as other
                on
                    one.pair_key = other.pair_key
                    and (
                        one.place = other.place
                        or (one.place = one.last_place and other.place > one.place)
                        or (other.place = other.last_place and one.place > other.place)
                    )
            where one.side = 'before' and other.side = 'after'
        )

        select
            found.pair_key,
            found.depth,
            found.parent_path,
            found.round + 1 as round,
            (found.line_before is not null and found.line_after is not null) or found.round = {{ line_match_rounds() }} as is_done,
            found.line_before,
            found.line_after
        from found

        union all

        select
            pairs.pair_key,
            pairs.depth,
            pairs.parent_path,
            1 as round,
            false as is_done,
            case when lines.part_inventory_id = pairs.unit_before then lines end as line_before,
            case when lines.part_inventory_id = pairs.unit_after then lines end as line_after
        from pairs
        inner join lines on lines.part_inventory_id in (pairs.unit_before, pairs.unit_after)
    )
),

changes as (
    select
        {{ line_change('compared.line_before', 'compared.line_after') | indent(4) }} as change,
        coalesce(
            {{ line_label('compared.line_after') }},
            {{ line_label('compared.line_before') }}
        ) as line,
        {{- changed_line_columns('compared.line_before', 'compared.line_after') | indent(4) }}
        compared.depth,
        compared.parent_path || ' > ' || line as path_text
    from compared
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
order by path_text, change, part_number_before, part_number_after
{%- endmacro %}
