{{ config(materialized='table') }}

{%- set columns = [
    'part_id', 'part_number', 'part_revision', 'revision_family_id', 'quantity', 'is_made_on_assembly',
    'designator_places', 'substitute_part_ids',
] %}
{%- set is_family = 'coalesce(revision_family_id_before = revision_family_id_after, false)' %}
{%- set classes = {
    'added': ['mbom_item_id_before is null', 'cast(null as double)', 'quantity_after'],
    'removed': ['mbom_item_id_after is null', 'quantity_before', 'cast(null as double)'],
    'revision_changed': ['is_other_part and ' ~ is_family, 'part_revision_before', 'part_revision_after'],
    'part_replaced': ['is_other_part and not ' ~ is_family, 'part_number_before', 'part_number_after'],
    'quantity_changed': [
        'is_paired and quantity_before <> quantity_after', 'quantity_before', 'quantity_after',
    ],
    'made_on_assembly_changed': [
        'is_paired and is_made_on_assembly_before <> is_made_on_assembly_after',
        'is_made_on_assembly_before', 'is_made_on_assembly_after',
    ],
} %}
{%- set lists = {'designator': 'designator_places', 'substitute': 'substitute_part_ids'} %}

with pairs as (
    select * from {{ ref('int_mbom__state_pairs') }}
),

line_pairs as (
    select * from {{ ref('int_mbom__line_pairs') }}
),

lines as (
    select * from {{ ref('int_mbom__state_lines') }}
),

parts as (
    select * from {{ ref('stg_ion__parts') }}
),

paired as (
    select
        line_pairs.*,
        {% for column in columns %}
            line_before.{{ column }} as {{ column }}_before,
            line_after.{{ column }} as {{ column }}_after,
        {% endfor %}
        coalesce(line_before.part_id <> line_after.part_id, false) as is_other_part,
        line_pairs.mbom_item_id_before is not null and line_pairs.mbom_item_id_after is not null as is_paired
    from line_pairs
    inner join pairs on line_pairs.mbom_id = pairs.mbom_id and line_pairs.state_number = pairs.state_number
    left join lines as line_before
        on
            pairs.previous_mbom_id = line_before.mbom_id
            and pairs.previous_state_number = line_before.state_number
            and line_pairs.mbom_item_id_before = line_before.mbom_item_id
    left join lines as line_after
        on
            pairs.mbom_id = line_after.mbom_id
            and pairs.state_number = line_after.state_number
            and line_pairs.mbom_item_id_after = line_after.mbom_item_id
),


elements as (
    {% for name, column in lists.items() %}
        {% set outer_last = loop.last %}
        {% for word, side in [('removed', 'before'), ('added', 'after')] %}
            select
                *,
                '{{ name }}_{{ word }}' as change,
                '{{ side }}' as side,
                {{ each_of(list_of_texts(column ~ '_' ~ side)) }} as element,
                {{ list_of_texts(column ~ '_' ~ ('after' if side == 'before' else 'before')) }} as others
            from paired
            where is_paired
            {{ 'union all' if not (loop.last and outer_last) }}
        {% endfor %}
    {% endfor %}
),

changed as (
    {% for change, rule in classes.items() %}
        select
            mbom_id,
            state_number,
            mbom_item_id_before,
            mbom_item_id_after,
            '{{ change }}' as change,
            cast({{ rule[1] }} as string) as value_before,
            cast({{ rule[2] }} as string) as value_after,
            cast(null as bigint) as substitute_part_id
        from paired
        where {{ rule[0] }}
        union all
    {% endfor %}
    select
        elements.mbom_id,
        elements.state_number,
        elements.mbom_item_id_before,
        elements.mbom_item_id_after,
        elements.change,
        case when elements.side = 'before' then coalesce(parts.part_number, elements.element) end as value_before,
        case when elements.side = 'after' then coalesce(parts.part_number, elements.element) end as value_after,
        parts.part_id as substitute_part_id
    from elements
    left join parts on elements.element = cast(parts.part_id as string) and elements.change like 'substitute%'
    where not {{ list_has('elements.others', 'elements.element') }}
)

select * from changed
