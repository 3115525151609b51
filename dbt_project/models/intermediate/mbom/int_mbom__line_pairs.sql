{{ config(materialized='table') }}

with sides as (
    select * from {{ ref('int_mbom__compared_lines') }}
),

paired_0 as (
    select * from {{ ref('int_mbom__placed_pairs') }}
),

-- Lines that no designator pairs are paired by part: the same part revision and quantity, then the same part revision,
-- then another revision of the part.
{% for kind in [['part_id', 'quantity'], ['part_id'], ['revision_family_id']] %}
    numbered_{{ loop.index }} as (
        select
            sides.*,
            row_number() over (
                partition by
                    sides.side,
                    sides.mbom_id,
                    sides.state_number
                    {% for column in kind %}, sides.{{ column }}{% endfor %}
                order by sides.quantity, sides.mbom_item_id
            ) as place
        from sides
        left join paired_{{ loop.index0 }} as paired on {{ is_paired_line('sides', 'paired') }}
        where paired.mbom_id is null
    ),

    paired_{{ loop.index }} as (
        select * from paired_{{ loop.index0 }}
        union all
        select
            line_after.mbom_id,
            line_after.state_number,
            line_before.mbom_item_id as mbom_item_id_before,
            line_after.mbom_item_id as mbom_item_id_after
        from numbered_{{ loop.index }} as line_after
        inner join numbered_{{ loop.index }} as line_before
            on
                line_after.mbom_id = line_before.mbom_id
                and line_after.state_number = line_before.state_number
                and line_after.place = line_before.place
                {% for column in kind %}
                    and line_after.{{ column }} = line_before.{{ column }}
                {% endfor %}
        where line_after.side = 'after' and line_before.side = 'before'
    ),

{% endfor %}
unpaired as (
    select
        sides.mbom_id,
        sides.state_number,
        case when sides.side = 'before' then sides.mbom_item_id end as mbom_item_id_before,
        case when sides.side = 'after' then sides.mbom_item_id end as mbom_item_id_after
    from sides
    left join paired_3 as paired on {{ is_paired_line('sides', 'paired') }}
    where paired.mbom_id is null
)

select * from paired_3
union all
select * from unpaired
