{#- A setting of the organisation (seed organization_settings), as text; null if its value is empty. -#}
{% macro organization_setting(key) -%}
    (
        select settings.setting_value
        from {{ ref('organization_settings') }} as settings
        where settings.setting_key = '{{ key }}'
    )
{%- endmacro %}
