{#- Aggregates over numbers. -#}

{#- The product of a group's values, nulls left out; not by way of logarithms, which have none for zero. -#}
{% macro product_of(value) %}{{ return(adapter.dispatch('product_of')(value)) }}{% endmacro %}
{% macro duckdb__product_of(value) %}product({{ value }}){% endmacro %}

{#-
    A number out of a text; null unless the text is one finite decimal number and nothing else: not NaN, not Infinity,
    no 1_000, no 0x10, no blanks, all of which a cast takes. Beyond 1e150 a double cannot hold the squares that
    deviations are made of, and one such value would stop every statistic.
-#}
{% macro number_of_text(text) %}{{ return(adapter.dispatch('number_of_text')(text)) }}{% endmacro %}
{% macro duckdb__number_of_text(text) -%}
    case
        when
            regexp_full_match({{ text }}, '[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]+)?')
            and abs(try_cast({{ text }} as double)) <= 1e150
            then try_cast({{ text }} as double)
    end
{%- endmacro %}

{#-
    What one number differs from another by, 0 if only by what a computer's fractions lack: 0.1 + 0.2 is 0.3. Twelve
    digits are more than any gauge has, and four fewer than a double.
-#}
{% macro difference_of(number, other) -%}
    case
        when abs({{ number }} - {{ other }}) <= 1e-12 * greatest(abs({{ number }}), abs({{ other }})) then 0
        else {{ number }} - {{ other }}
    end
{%- endmacro %}
