{#- The rules of control charts by name (seed chart_rules), in the order in which a point lists those it breaks. -#}
{% macro chart_rule_names() %}
    {{ return([
        'western_electric_1', 'western_electric_2', 'western_electric_3', 'western_electric_4',
        'nelson_1', 'nelson_2', 'nelson_3', 'nelson_4', 'nelson_5', 'nelson_6', 'nelson_7', 'nelson_8',
    ]) }}
{% endmacro %}

{#-
    The list of the rules that a point breaks and the organisation uses. `breaks` maps names of rules to conditions;
    `rules_on` is a table of one row with a column per rule. Most points break no rule, and then no list is built.
-#}
{% macro rules_broken(breaks, rules_on) -%}
    {%- set names = [] -%}
    {%- for rule, condition in breaks.items() -%}
        {%- do names.append("case when " ~ condition ~ " and " ~ rules_on ~ "." ~ rule ~ " then '" ~ rule ~ "' end") -%}
    {%- endfor -%}
    case
        when {% for condition in breaks.values() %}{{ condition }}{{ ' or ' if not loop.last }}{% endfor %}
            then {{ list_without_nulls(names) }}
        else {{ empty_list() }}
    end
{%- endmacro %}

{#- A table of one row with a column per rule: whether the organisation uses it. -#}
{% macro chart_rules_on() -%}
    select
        {% for rule in chart_rule_names() %}
            coalesce(max(case when rule_name = '{{ rule }}' and is_on then 1 end), 0) = 1 as {{ rule }}{{ ',' if not loop.last }}
        {% endfor %}
    from {{ ref('chart_rules') }}
{%- endmacro %}

{#-
    The distance of a point from the centre in sigmas, to nine decimal places. If the baseline does not vary, sigma is
    0: a point on the centre then has distance 0, any other point has none.
-#}
{% macro sigmas_from_centre(from_centre, sigma) -%}
    case
        when {{ sigma }} > 0 then round({{ from_centre }} / {{ sigma }}, 9)
        when {{ sigma }} = 0 and {{ from_centre }} = 0 then 0
    end
{%- endmacro %}

{#- The zone of a point: C within one sigma of the centre, B within two, A within three, else beyond. -#}
{% macro chart_zone(point) -%}
    case
        when {{ point }}.is_beyond then 'beyond'
        when abs({{ point }}.sigmas_from_centre) <= 1 then 'C'
        when abs({{ point }}.sigmas_from_centre) <= 2 then 'B'
        when abs({{ point }}.sigmas_from_centre) <= 3 then 'A'
    end
{%- endmacro %}

{#- Three sigma below the centre; only measured values can be below 0. -#}
{% macro lower_control_limit(point) -%}
    case
        when {{ point }}.chart_type = 'individuals' or {{ point }}.centre > 3 * {{ point }}.sigma
            then {{ point }}.centre - 3 * {{ point }}.sigma
        when {{ point }}.sigma is not null then 0
    end
{%- endmacro %}

{#- Three sigma above the centre; at most 1 for a fraction. -#}
{% macro upper_control_limit(point) -%}
    case
        when {{ point }}.chart_type = 'p' then least({{ point }}.centre + 3 * {{ point }}.sigma, 1)
        else {{ point }}.centre + 3 * {{ point }}.sigma
    end
{%- endmacro %}

{#- Whether a point is beyond three sigma; where sigma is 0, whether it is off the centre. -#}
{% macro is_beyond_limits(from_centre, sigma) -%}
    coalesce(
        case
            when {{ sigma }} > 0 then abs(round({{ from_centre }} / {{ sigma }}, 9)) > 3
            when {{ sigma }} = 0 then {{ from_centre }} <> 0
        end,
        false
    )
{%- endmacro %}
