{#- What a person reads for a part revision: number and revision, or what there is of them. -#}
{% macro part_label(part) -%}
    coalesce(
        {{ part }}.part_number || ' ' || {{ part }}.part_revision,
        {{ part }}.part_number,
        'part ' || cast({{ part }}.part_id as varchar)
    )
{%- endmacro %}
