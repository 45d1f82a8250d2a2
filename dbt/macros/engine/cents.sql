{#-
    A double as DECIMAL(18,2): its shortest decimal text, rounded half away from zero; NULL where
    that does not fit. Going by the text makes 1.005 become 1.01, as a person reads it, although the
    double is a little less.
-#}
{% macro cents(amount) -%}
    {{ return(adapter.dispatch('cents')(amount)) }}
{%- endmacro %}

{#-
    DuckDB misreads text with an exponent: '5e-07' gives 0.01, and '1.0000000000000002e+16' a number
    that DECIMAL(18,2) cannot hold. Such small ones are 0, such large ones never fit.
-#}
{% macro duckdb__cents(amount) -%}
    case
        when abs({{ amount }}) < 0.001 then cast(0 as decimal(18, 2))
        when abs({{ amount }}) >= 1e16 then null
        else try_cast(cast({{ amount }} as varchar) as decimal(18, 2))
    end
{%- endmacro %}

{#-
    Reasoned, not tried on an account: TRY_TO_DECIMAL rounds half away from zero, as every conversion
    to NUMBER does there. The text of a FLOAT may have fewer digits than the shortest that gives the
    double back; up to 15 significant ones, amounts below 10^13, the two are the same.
-#}
{% macro snowflake__cents(amount) -%}
    case
        when abs({{ amount }}) < 0.001 then cast(0 as decimal(18, 2))
        when abs({{ amount }}) >= 1e16 then null
        else try_to_decimal(to_varchar({{ amount }}), 18, 2)
    end
{%- endmacro %}
