# The migrations named in `replaces` as one: an empty database is made by this file, one that has begun with the old ones
# goes on with them. Written from the state that the old files end in, constraints inside the tables they belong to.

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    replaces = [('exceptions_queue', '0001_initial'), ('exceptions_queue', '0002_escalations')]

    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='CaseExport',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField()),
                ('view', models.CharField(max_length=250)),
                ('row_count', models.PositiveIntegerField()),
                ('by_user', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ('-at', 'pk'),
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='ExceptionCase',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind_code', models.CharField(max_length=64)),
                ('fingerprint', models.CharField(max_length=250)),
                ('state', models.CharField(choices=[('open', 'Open'), ('snoozed', 'Snoozed'), ('resolved', 'Resolved'), ('auto_resolved', 'Resolved by itself')], default='open', max_length=16)),
                ('is_regressed', models.BooleanField(default=False)),
                ('times_reopened', models.PositiveIntegerField(default=0)),
                ('subject_type', models.CharField(max_length=50)),
                ('subject_id', models.CharField(max_length=150)),
                ('subject_label', models.CharField(blank=True, max_length=250)),
                ('group_key', models.CharField(blank=True, max_length=250)),
                ('title', models.CharField(max_length=250)),
                ('cause', models.TextField(blank=True)),
                ('evidence', models.JSONField(blank=True, default=dict)),
                ('deep_link', models.CharField(blank=True, max_length=1000)),
                ('remote_link', models.CharField(blank=True, max_length=1000)),
                ('money_at_risk', models.DecimalField(blank=True, decimal_places=4, max_digits=19, null=True)),
                ('currency', models.CharField(blank=True, max_length=3)),
                ('waiting_since_at', models.DateTimeField(blank=True, null=True)),
                ('priority', models.IntegerField(default=0)),
                ('owner_team', models.CharField(max_length=16)),
                ('assigned_at', models.DateTimeField(blank=True, null=True)),
                ('first_opened_at', models.DateTimeField()),
                ('opened_at', models.DateTimeField()),
                ('due_at', models.DateTimeField(blank=True, null=True)),
                ('last_seen_at', models.DateTimeField()),
                ('occurrences', models.PositiveIntegerField(default=1)),
                ('snoozed_until_at', models.DateTimeField(blank=True, null=True)),
                ('snooze_until_money', models.DecimalField(blank=True, decimal_places=4, max_digits=19, null=True)),
                ('resolved_at', models.DateTimeField(blank=True, null=True)),
                ('resolved_by_name', models.CharField(blank=True, max_length=150)),
                ('resolution', models.CharField(blank=True, choices=[('action', "One of the case's actions"), ('fixed', 'Fixed by hand'), ('not_a_problem', 'Not a problem'), ('accepted', 'Accepted as it is'), ('cause_gone', 'The cause is gone')], max_length=16)),
                ('resolution_reason', models.TextField(blank=True)),
                ('assigned_to', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='assigned_cases', to=settings.AUTH_USER_MODEL)),
                ('raised_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='raised_cases', to=settings.AUTH_USER_MODEL)),
                ('resolved_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='resolved_cases', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'case',
                'ordering': ('-priority', 'due_at', 'pk'),
                'permissions': (('work_exceptioncase', 'Can work on the cases of the own team'),),
                'default_permissions': ('view',),
                'indexes': [models.Index(fields=['state', 'owner_team', '-priority'], name='case_by_team'), models.Index(fields=['group_key', 'kind_code'], name='case_by_group'), models.Index(fields=['subject_type', 'subject_id'], name='case_by_subject'), models.Index(fields=['state', 'due_at'], name='case_by_deadline')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('state__in', ('open', 'snoozed'))), fields=('kind_code', 'fingerprint'), name='case_one_per_fingerprint'), models.CheckConstraint(condition=models.Q(models.Q(('assigned_at__isnull', True), ('assigned_to__isnull', True)), models.Q(('assigned_at__isnull', False), ('assigned_to__isnull', False)), _connector='OR'), name='case_assigned_who_and_when'), models.CheckConstraint(condition=models.Q(models.Q(('resolution', ''), ('resolved_at__isnull', True), ('resolved_by_name', ''), ('state__in', ('open', 'snoozed'))), models.Q(('resolved_at__isnull', False), ('state__in', ('resolved', 'auto_resolved')), models.Q(('resolved_by_name', ''), _negated=True), ('resolution__in', ['action', 'fixed', 'not_a_problem', 'accepted', 'cause_gone'])), _connector='OR'), name='case_resolved_who_when_how'), models.CheckConstraint(condition=models.Q(('resolved_by__isnull', True), ('resolved_at__isnull', False), _connector='OR'), name='case_resolver_only_if_resolved'), models.CheckConstraint(condition=models.Q(models.Q(('state', 'resolved'), models.Q(('resolution_reason', ''), _negated=True)), models.Q(('state', 'resolved'), _negated=True), _connector='OR'), name='case_resolved_with_reason'), models.CheckConstraint(condition=models.Q(models.Q(('state', 'snoozed'), models.Q(('snoozed_until_at__isnull', False), ('snooze_until_money__isnull', False), _connector='OR')), models.Q(models.Q(('state', 'snoozed'), _negated=True), ('snoozed_until_at__isnull', True), ('snooze_until_money__isnull', True)), _connector='OR'), name='case_snoozed_until_something'), models.CheckConstraint(condition=models.Q(models.Q(('currency', ''), ('money_at_risk__isnull', True)), models.Q(('money_at_risk__isnull', False), models.Q(('currency', ''), _negated=True)), _connector='OR'), name='case_money_has_currency'), models.CheckConstraint(condition=models.Q(('occurrences__gte', 1)), name='case_seen_at_least_once'), models.CheckConstraint(condition=models.Q(models.Q(('kind_code', ''), _negated=True), models.Q(('fingerprint', ''), _negated=True), models.Q(('owner_team', ''), _negated=True)), name='case_has_identity_and_owner')],
            },
        ),
        migrations.CreateModel(
            name='CaseEvent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField()),
                ('by_name', models.CharField(max_length=150)),
                ('act', models.CharField(max_length=64)),
                ('note', models.TextField(blank=True)),
                ('detail', models.JSONField(blank=True, default=dict)),
                ('by_user', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('case', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='events', to='exceptions_queue.exceptioncase')),
            ],
            options={
                'ordering': ('at', 'pk'),
                'default_permissions': (),
                'indexes': [models.Index(fields=['case', 'at'], name='event_by_case')],
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('by_name', ''), _negated=True), models.Q(('act', ''), _negated=True)), name='event_says_who_and_what')],
            },
        ),
        migrations.CreateModel(
            name='CaseAlert',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('team', models.CharField(max_length=16)),
                ('reason', models.CharField(choices=[('opened', 'was opened'), ('regressed', 'came back after it was closed'), ('escalated', 'is urgent and will be late soon'), ('overdue', 'is past its deadline'), ('ageing', 'has an ageing backlog')], max_length=16)),
                ('channel', models.CharField(choices=[('mail', 'Mail'), ('webhook', 'Webhook')], max_length=16)),
                ('dedupe_key', models.CharField(max_length=200, unique=True)),
                ('state', models.CharField(choices=[('waiting', 'Waiting'), ('sending', 'Sending'), ('sent', 'Sent'), ('given_up', 'Given up')], default='waiting', max_length=16)),
                ('created_at', models.DateTimeField()),
                ('next_try_at', models.DateTimeField()),
                ('attempts', models.PositiveIntegerField(default=0)),
                ('sent_at', models.DateTimeField(blank=True, null=True)),
                ('last_error', models.CharField(blank=True, max_length=250)),
                ('case', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='alerts', to='exceptions_queue.exceptioncase')),
            ],
            options={
                'default_permissions': (),
                'indexes': [models.Index(fields=['state', 'next_try_at'], name='alert_by_time')],
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('sent_at__isnull', False), ('state', 'sent')), models.Q(models.Q(('state', 'sent'), _negated=True), ('sent_at__isnull', True)), _connector='OR'), name='alert_sent_has_a_time'), models.CheckConstraint(condition=models.Q(models.Q(('case__isnull', True), ('reason', 'ageing')), models.Q(models.Q(('reason', 'ageing'), _negated=True), ('case__isnull', False)), _connector='OR'), name='alert_about_a_case_or_a_backlog')],
            },
        ),
    ]
