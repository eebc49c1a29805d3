using System;

namespace HpAsyncPs;

/// <summary>What a program of HpAsyncPs exits with.</summary>
public enum ExitCode
{
    /// <summary>Done.</summary>
    Done = 0,

    /// <summary>The command line is wrong.</summary>
    Usage = 2,

    /// <summary>Input data, a model or an output folder cannot be used.</summary>
    BadInput = 3,

    /// <summary>A server, a worker or the link between them failed.</summary>
    ClusterFailure = 4,
}

/// <summary>Bad input. The message names what, where and what to do.</summary>
public sealed class InputException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>A peer failed, left, or broke the protocol. The message names the peer, what was expected and what to do.</summary>
public sealed class ClusterException(string message, Exception? inner = null) : Exception(message, inner);
