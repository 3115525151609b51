{#- One row per owner with its custom fields as a map from key to text; typed values are in `reference.attributes`. -#}
{% macro attribute_maps(owner_type) %}
    select
        owner_id,
        {{ map_of('attribute_key', 'value_text') }} as attributes
    from {{ ref('attributes') }}
    where owner_type = '{{ owner_type }}'
    group by owner_id
{%- endmacro %}
