from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("returnsops", "0002_roles"),
    ]

    operations = [
        migrations.AddField(
            model_name="parcel",
            name="told_at",
            field=models.JSONField(default=dict),
        ),
    ]
