namespace HpAsyncPs.Transport;

/// <summary>Whether a thread that finds nothing to do looks again for a short time before it sleeps.</summary>
public enum Spin
{
    /// <summary>It sleeps at once.</summary>
    Never,

    /// <summary>As long as the system does not take the core from it to give it to others.</summary>
    WhileAlone,

    /// <summary>Whoever else wants the core.</summary>
    Always,
}
