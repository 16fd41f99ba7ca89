# Rows of whole hours stay: each counts for the first ten minutes of its hour.

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('returnsops', '0001_squashed_0014_wished_again'),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='webhookrefusal',
            name='one_refusal_row_per_hour',
        ),
        migrations.RenameField(
            model_name='webhookrefusal',
            old_name='hour_at',
            new_name='slot_at',
        ),
        migrations.AlterField(
            model_name='webhookrefusal',
            name='slot_at',
            field=models.DateTimeField(verbose_name='from'),
        ),
        migrations.AlterModelOptions(
            name='webhookrefusal',
            options={'ordering': ['-slot_at']},
        ),
        migrations.AddConstraint(
            model_name='webhookrefusal',
            constraint=models.UniqueConstraint(fields=('connection', 'slot_at'), name='one_refusal_row_per_slot'),
        ),
    ]
