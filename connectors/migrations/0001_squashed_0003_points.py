# The migrations named in `replaces` as one: an empty database is made by this file, one that has begun with the old ones
# goes on with them. Written from the state that the old files end in, constraints inside the tables they belong to.

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    replaces = [('connectors', '0001_initial'), ('connectors', '0002_wake_up'), ('connectors', '0003_points')]

    initial = True

    dependencies = [
        ('returnsops', '0001_squashed_0014_wished_again'),
    ]

    operations = [
        migrations.CreateModel(
            name='ConnectionBudget',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('version', models.PositiveBigIntegerField(default=0)),
                ('next_slot_at', models.DateTimeField(blank=True, null=True)),
                ('blocked_until_at', models.DateTimeField(blank=True, null=True)),
                ('call_count', models.PositiveBigIntegerField(default=0)),
                ('throttled_count', models.PositiveBigIntegerField(default=0)),
                ('failure_count', models.PositiveIntegerField(default=0)),
                ('opened_count', models.PositiveIntegerField(default=0)),
                ('open_until_at', models.DateTimeField(blank=True, null=True)),
                ('last_failure_at', models.DateTimeField(blank=True, null=True)),
                ('last_failure_text', models.CharField(blank=True, max_length=500)),
                ('connection', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='budget', to='returnsops.connection')),
                ('points_at', models.DateTimeField(blank=True, null=True)),
                ('points_left', models.FloatField(blank=True, null=True)),
                ('points_most', models.FloatField(blank=True, null=True)),
                ('points_per_s', models.FloatField(blank=True, null=True)),
                ('points_under_way', models.FloatField(default=0.0)),
            ],
        ),
        migrations.CreateModel(
            name='PumpLease',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('holder', models.CharField(blank=True, max_length=36)),
                ('lease_until_at', models.DateTimeField(blank=True, null=True)),
                ('connection', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='pump_lease', to='returnsops.connection')),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('holder', ''), ('lease_until_at__isnull', True)), models.Q(models.Q(('holder', ''), _negated=True), ('lease_until_at__isnull', False)), _connector='OR'), name='pump_holder_has_lease')],
            },
        ),
        migrations.CreateModel(
            name='SyncCursor',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('stream', models.CharField(default='main', max_length=63)),
                ('cursor', models.TextField(blank=True)),
                ('polled_at', models.DateTimeField(blank=True, null=True)),
                ('next_poll_at', models.DateTimeField(blank=True, null=True)),
                ('failure_count', models.PositiveIntegerField(default=0)),
                ('error_text', models.CharField(blank=True, max_length=500)),
                ('claim_token', models.CharField(blank=True, max_length=36)),
                ('claimed_until_at', models.DateTimeField(blank=True, null=True)),
                ('connection', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='cursors', to='returnsops.connection')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('connection', 'stream'), name='one_cursor_per_stream')],
            },
        ),
        migrations.CreateModel(
            name='WakeUp',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=120, unique=True)),
                ('asked_at', models.DateTimeField(blank=True, null=True)),
            ],
        ),
    ]
