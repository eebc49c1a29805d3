namespace HpAsyncPs.Cli.Stressing;

/// <summary>What goes over the connection.</summary>
internal enum StressMode
{
    /// <summary>Pushes; the next one when one is acknowledged.</summary>
    Push,

    /// <summary>Snapshots, after one push.</summary>
    Pull,

    /// <summary>Each push with a pull of its result.</summary>
    PushPull,

    /// <summary>The same, one after the other: how long an answer takes.</summary>
    Trip,
}

/// <summary>What the server does with a push.</summary>
internal enum StressPath
{
    /// <summary>Adds it: policy asp:sum.</summary>
    Sum,

    /// <summary>Keeps each worker's vector, and their sum in double: policy async.</summary>
    Async,
}

/// <summary>What the server listens at.</summary>
internal enum StressTransport
{
    /// <summary>A port of loopback, or of another host.</summary>
    Tcp,

    /// <summary>A Unix domain socket.</summary>
    Unix,
}

/// <summary>Names on the command line.</summary>
internal static class StressNames
{
    public static readonly string[] Modes = ["push", "pull", "push-pull", "trip"];

    public static readonly string[] Paths = ["sum", "async"];

    public static readonly string[] Transports = ["tcp", "unix"];

    public static string Of(StressMode mode) => Modes[(int)mode];

    public static string Of(StressPath path) => Paths[(int)path];

    public static string Of(StressTransport transport) => Transports[(int)transport];

    /// <summary>One that is among <see cref="Modes"/>.</summary>
    public static StressMode Mode(string name) => (StressMode)System.Array.IndexOf(Modes, name);

    /// <summary>One that is among <see cref="Paths"/>.</summary>
    public static StressPath Path(string name) => (StressPath)System.Array.IndexOf(Paths, name);

    /// <summary>One that is among <see cref="Transports"/>.</summary>
    public static StressTransport Transport(string name) => (StressTransport)System.Array.IndexOf(Transports, name);
}
