{{ config(materialized='table') }}

-- Both sides of every comparison, one row per line.
with pairs as (
    select * from {{ ref('int_mbom__state_pairs') }}
),

lines as (
    select * from {{ ref('int_mbom__state_lines') }}
)

{% for side, prefix in [('after', 'pairs.'), ('before', 'pairs.previous_')] %}
    select
        '{{ side }}' as side,
        pairs.mbom_id,
        pairs.state_number,
        lines.mbom_item_id,
        lines.part_id,
        lines.revision_family_id,
        lines.quantity,
        lines.designator_places
    from pairs
    inner join lines
        on {{ prefix }}mbom_id = lines.mbom_id and {{ prefix }}state_number = lines.state_number
    {{ 'union all' if not loop.last }}
{% endfor %}
