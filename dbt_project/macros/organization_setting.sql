{#- What the organisation has decided (seed organization_settings), as text; null if it left the value empty. -#}
{% macro organization_setting(key) -%}
    (
        select settings.setting_value
        from {{ ref('organization_settings') }} as settings
        where settings.setting_key = '{{ key }}'
    )
{%- endmacro %}
