{#- A number for the month of a date, one higher than that of the month before. -#}
{% macro month_number(date) -%}
    (extract(year from {{ date }}) * 12 + extract(month from {{ date }}))
{%- endmacro %}

{#- The first day of the month of a date. -#}
{% macro month_of(date) -%}
    cast(date_trunc('month', {{ date }}) as date)
{%- endmacro %}

{#-
    The dates of all months in which a date of the given query (with one column, `restated`) lies, as a
    query: asked for by their dates, and not by their month, rows are found by block statistics.
-#}
{% macro dates_of_months(dates) -%}
    select months.first_date + numbers.n as restated
    from (
        select distinct {{ month_of('restated') }} as first_date
        from ({{ dates }}) as dates
    ) as months
    inner join (select cast(n as integer) as n from ({{ numbers(2) }}) as every) as numbers
        on numbers.n < 31 and {{ month_of('months.first_date + numbers.n') }} = months.first_date
{%- endmacro %}

{#- A query with one column n, the numbers from 0 to 10 ** places - 1. -#}
{% macro numbers(places) -%}
    select {% for place in range(places) %}{{ 10 ** place }} * n{{ place }}.n{{ ' + ' if not loop.last }}{% endfor %} as n
    from {% for place in range(places) -%}
    (
        select 0 as n
        {%- for n in range(1, 10) %} union all select {{ n }}{% endfor -%}
    ) as n{{ place }}{{ ' cross join ' if not loop.last }}
    {%- endfor %}
{%- endmacro %}

{#- The day of the week of a date, 0 for Sunday to 6; 1970-01-04 was a Sunday. -#}
{% macro weekday(date) -%}
    mod({{ date }} - cast('1970-01-04' as date), 7)
{%- endmacro %}

{#-
    The first day of the retail year that begins in the calendar year of the given 31 January: the
    Sunday after the Saturday nearest to it (the National Retail Federation's 4-5-4 calendar).
-#}
{% macro retail_year_start(january_31) -%}
    ({{ january_31 }} + mod(9 - cast({{ weekday(january_31) }} as integer), 7) - 2)
{%- endmacro %}
