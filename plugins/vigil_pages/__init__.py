"""The pages: `views` turns results into what is shown (pure), `access` asks Airflow who may see it, `app` serves."""
