namespace HpAsyncPs.Programs;

/// <summary>Names of the options of alerts.</summary>
internal static class AlertNames
{
    public const string Command = "--alert-command";
    public const string Webhook = "--alert-webhook";
    public const string Interval = "--alert-interval";
    public const string On = "--alert-on";

    /// <summary>Names the webhook where no flag shows it to all users of this host.</summary>
    public const string Variable = "HPAPS_ALERT_WEBHOOK";

    /// <summary>All options.</summary>
    public static readonly string[] All = [Command, Webhook, Interval, On];
}
