{{ config(materialized='table') }}

{#-
    Lines that ended are matched with lines that began at the same instant on the same unit, stage by stage; a stage
    uses only lines that the stages before left unmatched. Within a stage, lines are paired in ascending order of
    installation id.
-#}
{%- set same_requirement = ['abom_generation', 'build_requirement_id'] %}
{%- set same_unit = ['designator_key', 'child_part_inventory_id', 'open_part_id'] %}
{%- set same_need = ['origin_mbom_item_id', 'required_part_id'] %}
{%- set stages = [
    {'match': 'kept', 'columns': same_requirement + same_unit + ['line_key']},
    {'match': 'kept', 'columns': same_requirement + same_unit},
    {'match': 'kept', 'columns': same_unit, 'other': 'abom_generation'},
    {'match': 'kept', 'columns': ['abom_generation'] + same_unit + same_need, 'is_made_again': true},
    {'match': 'replaced', 'columns': same_requirement + ['designator_key', 'revision_family_id']},
    {'match': 'replaced', 'columns': same_requirement + ['designator_key']},
    {'match': 'moved', 'columns': same_requirement + ['child_part_inventory_id']},
    {'match': 'moved', 'columns': ['child_part_inventory_id']},
    {'match': 'replaced', 'columns': same_requirement + ['revision_family_id']},
    {'match': 'replaced', 'columns': same_requirement}
] %}

with
{%- for side in ['ended', 'began'] %}
    {{ side }}_0 as (
        select * from {{ ref('int_abom_history__line_ends') }}
        where side = '{{ side }}'
    ),
{% endfor %}
{%- for stage in stages %}
    {%- set before, now = loop.index0, loop.index %}
    {%- set columns = ['part_inventory_id', 'changed_at'] + stage.columns %}
    {%- for side in ['ended', 'began'] %}
        {{ side }}_numbered_{{ now }} as (
            select
                *,
                row_number() over (
                    partition by {{ columns | join(', ') }}
                    order by abom_installation_id, build_requirement_id
                ) as place
            from {{ side }}_{{ before }}
            {%- if stage.match != 'kept' %}
                where is_filled
            {%- endif %}
            {%- if 'is_made_again' in stage %}
                -- The old requirement no longer exists and the new one did not exist before: a delete and re-creation,
                -- which changes nothing.
                where requirement_across = 'none'
            {%- endif %}
        ),
    {% endfor %}
    matches_{{ now }} as (
        select
            ended.line_end_id as ended_id,
            began.line_end_id as began_id,
            '{{ stage.match }}' as match
        from ended_numbered_{{ now }} as ended
        inner join began_numbered_{{ now }} as began
            on
                ended.part_inventory_id = began.part_inventory_id
                and ended.changed_at = began.changed_at
                {%- for column in stage.columns %}
                    and ended.{{ column }} is not distinct from began.{{ column }}
                {%- endfor %}
                and ended.place = began.place
                {%- if 'other' in stage %}
                    and ended.{{ stage.other }} <> began.{{ stage.other }}
                {%- endif %}
    ),
    {% for side in ['ended', 'began'] %}
        {{ side }}_{{ now }} as (
            {{ rounds_begin() }}
            select * from {{ side }}_{{ before }}
            where line_end_id not in (select matches_{{ now }}.{{ side }}_id from matches_{{ now }})
            {{ rounds_end() }}
        ),
    {% endfor %}
{%- endfor %}
matches as (
    {%- for stage in stages %}
        select * from matches_{{ loop.index }}
        {{ 'union all' if not loop.last }}
    {%- endfor %}
)

select * from matches
