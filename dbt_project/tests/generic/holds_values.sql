{#- Each of the values is in the column: a model that reads a value by its name would otherwise find nothing. -#}
{% test holds_values(model, column, values) %}
{% for value in values %}
select '{{ value }}' as missing
where not exists (select 1 from {{ model }} where {{ column }} = '{{ value }}')
{{ 'union all' if not loop.last }}
{% endfor %}
{% endtest %}
