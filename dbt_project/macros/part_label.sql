{#- Display label of a part revision: number and revision, or whichever of them exists. -#}
{% macro part_label(part) -%}
    coalesce(
        {{ part }}.part_number || ' ' || {{ part }}.part_revision,
        {{ part }}.part_number,
        'part ' || cast({{ part }}.part_id as string)
    )
{%- endmacro %}
