{#-
    The incremental strategy of purchases_silver. The new rows are winners that the table does not
    hold yet. A row they displace is either one of this window (an unfinished run put it there) or a
    prior winner, whose load is known; so both deletions read a few blocks and not the table. What
    leaves is written down, for those who have counted it.
-#}
{% macro get_incremental_replace_winners_sql(arg_dict) %}
    {%- set silver = arg_dict['target_relation'] -%}
    {%- set winners = arg_dict['temp_relation'] -%}
    {%- set columns = arg_dict['dest_columns'] | map(attribute='quoted') | join(', ') -%}
    {%- set window = window_bounds() -%}

    {%- set of_this_window -%}
        _load_seq > {{ window.lo }}
            and (event_key, event_id) in (select event_key, event_id from {{ winners }})
    {%- endset -%}
    {%- set prior -%}
        (_load_seq, _source_object, _source_line) in (
            select earlier._load_seq, earlier._source_object, earlier._source_line
            from {{ source('raw', 'transform_prior_winners').render() }} as earlier
            inner join {{ winners }} as winners
                on earlier.event_key = winners.event_key and earlier.event_id = winners.event_id
        )
    {%- endset -%}

    {%- set statements -%}
        {% for displaced in [of_this_window, prior] %}
        insert into {{ source('raw', 'transform_displaced').render() }}
            (day, business_date, arrival_date, customer_id, _window_hi)
        select day, business_date, arrival_date, customer_id, {{ window.hi }}
        from {{ silver }}
        where {{ displaced }};

        delete from {{ silver }}
        where {{ displaced }};
        {% endfor %}

        insert into {{ silver }} ({{ columns }})
        select {{ columns }} from {{ winners }}
    {%- endset -%}

    {{ return(in_the_models_transaction(statements)) }}
{% endmacro %}
